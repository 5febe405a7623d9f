"""Whole mails as they leave, byte for byte.

With ``MAILROUTER_WRITE_GOLDEN`` set they are written anew; then read the difference.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.routing.situations import (
    AWAY,
    BOTH_AWAY,
    EMERGENCY,
    HANDOFF,
    mail,
    octets,
    planned,
    role,
    situation,
)

GOLDEN = Path(__file__).parent / "golden"

PLAIN = mail("MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Cc: Bob <bob@example.test>")
SIGNED = mail(
    'Content-Type: multipart/signed; protocol="application/pgp-signature";\r\n boundary=sig',
    body=b"--sig\r\n\r\nHello.\r\n"
    b"--sig\r\nContent-Type: application/pgp-signature\r\n\r\n(signature)\r\n--sig--\r\n",
)
OUTSIDE = mail("From: Ann <ann@outside.test>", "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=")


def _answer(raw: bytes, sender: str) -> bytes:
    reply = planned(raw, situation(role(BOTH_AWAY, emergency=EMERGENCY), sender=sender)).reply
    assert reply is not None
    return octets(reply.pieces, raw)


def _companion() -> bytes:
    beside = planned(SIGNED, situation(role(AWAY), handoff=HANDOFF)).copies[0].companion
    assert beside is not None
    return octets(beside, SIGNED)


def _copy(raw: bytes, text: str) -> bytes:
    return octets(
        planned(raw, situation(role(text), handoff=HANDOFF if text else None)).copies[0].pieces, raw
    )


MADE: dict[str, Callable[[], bytes]] = {
    "wrapped": lambda: _copy(PLAIN, AWAY),
    "readdressed": lambda: _copy(PLAIN, ""),
    "untouched": lambda: _copy(SIGNED, AWAY),
    "companion": _companion,
    "reply-inside": lambda: _answer(PLAIN, "jane@example.test"),
    "reply-outside": lambda: _answer(OUTSIDE, "ann@outside.test"),
}


@pytest.mark.parametrize("name", MADE)
def test_the_mail_is_the_golden_one(name: str) -> None:
    """The same facts and the same seed give these very octets."""
    file = GOLDEN / f"{name}.eml"
    mail_now = MADE[name]()
    if "MAILROUTER_WRITE_GOLDEN" in os.environ:
        file.write_bytes(mail_now)
    assert mail_now == file.read_bytes()
