"""The gate of a trial: whatever comes is answered 250, and little of it stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailrouter.errors import StoreFull
from mailrouter.intake.acceptor import Acceptor
from mailrouter.intake.shadow import REFUSED, ShadowGate
from mailrouter.message.scanner import Scanner
from mailrouter.routing.partner.handoff_text import MAX_MAIL
from mailrouter.runtime.context import Context
from mailrouter.smtp.envelope import Envelope
from mailrouter.store.ids import NO_MESSAGE
from mailrouter.store.sqlite.store import SqliteStore
from tests.intake.services import CLIENT, desk
from tests.routing.situations import mail, role

MOMENT = datetime(2026, 12, 3, 18, tzinfo=UTC)
BLOCK = (b"x" * 70 + b"\r\n") * 1000


async def sent(gate: ShadowGate, blocks: int) -> str:
    """What the door would say to a mail with so many blocks of 72,000 octets."""
    spool, scanner = gate.spool(), Scanner()
    for block in (mail(), *(BLOCK for _ in range(blocks))):
        scanner.feed(block)
        if spool.hold(block):
            await spool.flush()
    shape = scanner.finish()
    assert shape.size == spool.size
    envelope = Envelope("jane@outside.test", ["vp-hr@example.test"])
    return await gate.accept(CLIENT, envelope, spool, shape, scanner.head)


async def test_of_a_large_mail_only_the_beginning_is_kept(tmp_path: Path) -> None:
    """No size is refused, planned or noted, and the disk does not fill with what goes nowhere."""
    store = SqliteStore.open(tmp_path / "m.db")
    try:
        for limit in (None, 1_000_000):
            of = desk(role())
            of.next_hop_size = lambda limit=limit: limit  # type: ignore[misc]
            acceptor = Acceptor(Context(of, lambda: MOMENT), store, lambda _: None)
            gate = ShadowGate(acceptor, store)
            assert gate.max_size() is None
            assert (await sent(gate, 300)).startswith("250")
        (kept,) = await store.run(lambda c: c.execute("SELECT sum(length(data)) FROM chunk").fetchone())
        assert kept <= 2 * (MAX_MAIL + 2 * len(BLOCK))
        taken, noted = await store.reader.history(NO_MESSAGE, 5)
        assert len(taken.deliveries) == 2
        assert noted.message.reasons[0].startswith(f"{REFUSED}552 5.3.4")
    finally:
        store.close()


@pytest.mark.parametrize("blocks", [0, 30])
async def test_a_full_disk_disturbs_nobody(
    tmp_path: Path, blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A blind copy that can't be stored is answered 250: its original was delivered long ago."""
    store = SqliteStore.open(tmp_path / "m.db")
    try:
        gate = ShadowGate(Acceptor(Context(desk(role()), lambda: MOMENT), store, lambda _: None), store)

        def full(*_: object) -> Callable[..., None]:
            raise StoreFull("No room is left for the store.")

        with monkeypatch.context() as patch:
            patch.setattr(store._writer, "submit", full)
            assert (await sent(gate, blocks)).startswith("250")
        assert (await sent(gate, blocks)).startswith("250")
        assert len(await store.reader.history(NO_MESSAGE, 5)) == 1
    finally:
        store.close()
