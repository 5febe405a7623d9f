"""No sequence but CRLF dot CRLF ends a message, however it is sent."""

from __future__ import annotations

import asyncio
import json
from itertools import product
from pathlib import Path

import pytest

from mailrouter.intake.admission import unfit
from tests.support.gates import ListGate, doors

SUITE = Path(__file__).parents[3] / "shared" / "suites" / "smtp_smuggling" / "eod_sequences.json"
ENDS = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\r\n\x00", b"\x00\r\n", b"\x0b", b"\x85", b"\n\r"]
OWN = [a + b"." + b for a, b in product(ENDS, ENDS) if b"\r\n.\r\n" not in a + b"." + b] + [
    b"\r\n..\r\n",
    b"\r\n. \r\n",
    b"\r\n .\r\n",
    b"\r\n.\t\r\n",
    b"\r\n\r\n..\n.\r\r\n",
]


def suite() -> list[bytes]:
    """The published sequences, or none where the suite is absent."""
    if not SUITE.exists():
        return []
    found = json.loads(SUITE.read_text())
    texts = [*found["the_login_inbound"], *found["the_login_outbound"], *found["hannob_smtpsmug"].values()]
    return [text.encode("latin-1") for text in dict.fromkeys(texts)]


async def attack(sequences: list[bytes], step: int) -> None:
    """Send each sequence inside a message, with a second message behind it, ``step`` octets at a time."""
    gate = ListGate()
    async with doors(gate) as door:
        talk = await door.greeted()
        for number, sequence in enumerate(sequences, 1):
            await talk.open_message()
            evil = b"MAIL FROM:<evil@b.test>\r\nRCPT TO:<role@example.test>\r\nDATA\r\nevil\r\n"
            text = b"Subject: x\r\n\r\nhello" + sequence + evil
            wire = text + b".\r\nNOOP\r\n"
            for at in range(0, len(wire), step):
                talk.send(wire[at : at + step])
                if step < 100:
                    await asyncio.sleep(0)
            assert await talk.reply() == f"250 2.0.0 queued as {number}", sequence
            assert (await talk.reply()).startswith("250 2.0.0 OK"), sequence
            assert gate.contents[-1].count(b"evil") == 2, sequence
            shape = gate.shapes[-1]
            clean = gate.contents[-1].replace(b"\r\n", b"")
            odd = b"\r" in clean or b"\n" in clean or b"\x00" in clean
            assert (unfit(shape) is not None) == odd, sequence
    assert len(gate.accepted) == len(sequences)


@pytest.mark.parametrize("step", [1000, 2, 1])
@pytest.mark.skipif(not SUITE.exists(), reason="the published sequences (../shared/suites) are not here")
async def test_published_sequences_never_end_a_message(step: int) -> None:
    """One message in is one message, and what holds a bare CR, bare LF or NUL is known as unfit."""
    await attack(suite(), step)


@pytest.mark.parametrize("step", [1000, 1])
async def test_own_sequences_never_end_a_message(step: int) -> None:
    """The same with every pair of odd line ends around a dot."""
    await attack(OWN, step)


@pytest.mark.parametrize(
    "wire",
    [
        b"MAIL FROM:<a@b.test>\nRCPT TO:<r@x.test>\r\n",
        b"MAIL FROM:<a@b.test>\rRCPT TO:<r@x.test>\r\n",
        b"MAIL FROM:<a@b.test>\x00\r\n",
        b"MAIL FROM:<a\x00@b.test>\r\n",
        b"NOOP\nNOOP\r\n",
        b"\nNOOP\r\n",
        b"\rNOOP\r\n",
    ],
)
async def test_commands_with_other_line_ends_are_refused_whole(wire: bytes) -> None:
    """A bare LF, bare CR or NUL in a command is one error and no command."""
    async with doors(ListGate()) as door:
        talk = await door.greeted()
        talk.send(wire + b"RCPT TO:<r@x.test>\r\nNOOP\r\n")
        assert (await talk.reply()).startswith("500 5.5.2")
        assert (await talk.reply()).startswith("503")
        assert (await talk.reply()).startswith("250")
