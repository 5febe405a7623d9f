"""Maildirs: a file is there whole or not at all, under a name that a repeat replaces, in a folder that can't
escape."""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.clock import now_ms
from mailrouter.delivery import content
from mailrouter.delivery.dispatch import Dispatcher
from mailrouter.delivery.maildir import GATHER, MaildirTransport, folder_name, in_lines_of_unix
from mailrouter.store.ids import CHUNK_BITS
from mailrouter.store.model import Delivery
from mailrouter.store.sqlite.store import SqliteStore
from tests.support.messages import HEAD, PARTNERS, SMALL, put, queue_of, until

TOP = b"Return-Path: <bounce@example.test>\nDelivered-To: laurie@example.test\n"


async def _always(delivery: Delivery) -> bool:
    return True


class Mailboxes:
    """A store that delivers into ``root``."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "mail"
        self.store = SqliteStore.open(folder / "m.db")
        self.dispatcher = Dispatcher(self.store)
        self.transport = MaildirTransport(
            self.root, "mx.example.test", self.dispatcher, self._stream, _always
        )

    def _stream(self, delivery: Delivery) -> AsyncIterator[bytes]:
        return content.stream(self.store, delivery)

    async def accept(self, data: bytes = SMALL, recipients: tuple[str, ...] = PARTNERS[:1]) -> list[Delivery]:
        """Accept and hand over."""
        queued = await put(self.store, data, recipients, now_ms())
        self.dispatcher.offer(queued)
        return queued

    async def settled(self, number: int) -> list[str]:
        """The states, once ``number`` deliveries were tried."""
        rows: list[tuple[str]] = []

        def tried() -> bool:
            rows[:] = self.store.reader._rows("SELECT state FROM delivery WHERE attempts > 0 ORDER BY id")
            return len(rows) >= number

        await until(tried)
        return [state for (state,) in rows]

    def files(self, mailbox: str = PARTNERS[0]) -> dict[str, list[str]]:
        """The names in each folder of a mailbox."""
        return {
            name: sorted(p.name for p in (self.root / mailbox / name).iterdir())
            for name in ("tmp", "new", "cur")
        }


@contextlib.asynccontextmanager
async def mailboxes(folder: Path) -> AsyncIterator[Mailboxes]:
    """Running; stopped at the end."""
    found = Mailboxes(folder)
    found.dispatcher.start(found.transport)
    try:
        yield found
    finally:
        await found.dispatcher.close(1)
        found.store.close()


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Warnings about mailboxes are expected here."""
    with caplog.at_level(logging.CRITICAL, logger="mailrouter.delivery"):
        yield


async def test_small_and_large_mail_arrives_whole_and_private(tmp_path: Path) -> None:
    """The file holds the reverse-path, the recipient and the copy; nothing stays in tmp; nobody else may read
    it."""
    line = b"x" * 78 + b"\r\n"
    large = line * (3 * GATHER // 80)
    async with mailboxes(tmp_path) as boxes:
        await boxes.accept()
        await boxes.accept(large)
        assert await boxes.settled(2) == ["delivered", "delivered"]
        names = boxes.files()
        assert (len(names["new"]), names["tmp"], names["cur"]) == (2, [], [])
        found = [(boxes.root / PARTNERS[0] / "new" / name) for name in names["new"]]
        sent = {TOP + (HEAD + text).replace(b"\r\n", b"\n") for text in (SMALL, large)}
        assert {file.read_bytes() for file in found} == sent
        assert {stat.S_IMODE(file.stat().st_mode) for file in found} == {0o600}
        assert stat.S_IMODE((boxes.root / PARTNERS[0] / "new").stat().st_mode) == 0o700


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
async def test_lines_end_in_lf_wherever_blocks_are_cut(size: int) -> None:
    """Every CRLF becomes LF, and no other octet changes."""

    async def blocks() -> AsyncIterator[bytes]:
        for at in range(0, len(text), size):
            yield text[at : at + size]

    text = b"A: b\r\n\r\nx\r\n\r\n\ry\r\r\nz\r"
    written = b"".join([block async for block in in_lines_of_unix(blocks())])
    assert written == b"A: b\n\nx\n\n\ry\r\nz\r"


async def test_a_repeat_replaces_its_file(tmp_path: Path) -> None:
    """A delivery that is made again after a crash has the same name, so the mailbox holds it once."""
    async with mailboxes(tmp_path) as boxes:
        (delivery,) = await boxes.accept()
        await boxes.settled(1)
        again = await boxes.transport._deliver(delivery)
        assert again.code == 250
        assert len(boxes.files()["new"]) == 1


async def test_many_small_offers_are_all_delivered_at_once(tmp_path: Path) -> None:
    """A writer that has just run out of work does not hide the next offer."""
    async with mailboxes(tmp_path) as boxes:
        for n in range(30):
            await boxes.accept()
            await boxes.settled(n + 1)
        assert len(boxes.files()["new"]) == 30


@pytest.mark.parametrize("gone", ["", "new", "tmp"])
async def test_a_folder_that_was_removed_is_made_again(tmp_path: Path, gone: str) -> None:
    """Somebody removes the mailbox or a part of it: at most one try fails, and the mail is not lost."""
    async with mailboxes(tmp_path) as boxes:
        await boxes.accept()
        await boxes.settled(1)
        shutil.rmtree(boxes.root / PARTNERS[0] / gone)
        (second,) = await boxes.accept()
        states = await boxes.settled(2)
        if states[1] == "queued":
            assert (await boxes.transport._deliver(second)).code == 250
        assert len(boxes.files()["new"]) == (2 if gone == "tmp" else 1)


async def test_a_mailbox_that_can_not_be_written_is_tried_later(tmp_path: Path) -> None:
    """A file where the folder should be: temporary for this recipient, and the others get theirs."""
    async with mailboxes(tmp_path) as boxes:
        boxes.root.mkdir()
        (boxes.root / "elaine@example.test").write_text("in the way")
        await boxes.accept(recipients=PARTNERS)
        assert await boxes.settled(2) == ["delivered", "queued"]
        reply = queue_of(boxes.store.reader, 1)[0].deliveries[0].last_reply
        assert reply.startswith("451 4.3.0 The mailbox can't be written: ")


async def test_a_message_the_store_can_not_read_leaves_nothing_half(tmp_path: Path) -> None:
    """If a part is missing, no file appears, none is left in tmp, and the delivery is tried later."""
    large = b"y" * (3 * GATHER)
    async with mailboxes(tmp_path) as boxes:
        queued = await put(boxes.store, large, PARTNERS[:1], now_ms())
        part = (queued[0].message << CHUNK_BITS) + 2
        await boxes.store.run(lambda c: c.execute("DELETE FROM chunk WHERE id = ?", (part,)))
        boxes.dispatcher.offer(queued)
        assert await boxes.settled(1) == ["queued"]
        assert boxes.files() == {"tmp": [], "new": [], "cur": []}


@pytest.mark.parametrize(
    ("recipient", "name"),
    [
        ("Laurie@Example.TEST", "laurie@example.test"),
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"),
        (".hidden@x.test", "%2Ehidden@x.test"),
        ("a/b@x.test", "a%2Fb@x.test"),
        ('"a b"@x.test', "%22a%20b%22@x.test"),
        ("jürgen@x.test", "j%FCrgen@x.test"),
        ("", "%"),
    ],
)
def test_names_of_mailboxes(recipient: str, name: str) -> None:
    """An ordinary address is its own folder; what a file system could stumble on is written in
    hexadecimal."""
    assert folder_name(recipient) == name


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_recipient_escapes_or_gets_another_ones_folder(one: str, other: str) -> None:
    """Each name is one short path component of harmless characters, and two recipients never share one."""
    name = folder_name(one)
    assert re.fullmatch(r"[A-Za-z0-9@%_+=-][A-Za-z0-9@._%+=-]*", name)
    assert len(name) <= 200
    if one.lower() != other.lower():
        assert name != folder_name(other)
