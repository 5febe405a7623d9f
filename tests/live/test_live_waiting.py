"""A running service over a store whose answers have to be waited for, as those of one across a network are."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest

from mailrouter.service import wiring
from mailrouter.service.control import ask
from mailrouter.store.opening import open_reader, open_store
from mailrouter.store.protocols import Store
from mailrouter.turns import drive
from mailrouter.web.pages import Asked
from tests.live.test_live_together import started, until
from tests.support.relay import ROLE, maildir, write_configuration
from tests.support.sending import send
from tests.support.waiting import Waiting

MAIL = (
    b"From: jane@x.test\r\nTo: vp-hr@example.test\r\nMessage-ID: <%d@x.test>\r\nSubject: x\r\n\r\nHello.\r\n"
)


async def test_a_service_waits_for_what_its_store_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mail with a handoff goes through, what people ask is answered, and a second start goes on."""
    monkeypatch.setattr(wiring, "open_store", lambda place: cast(Store, Waiting(open_store(place))))
    config = write_configuration(tmp_path, settings="web: 127.0.0.1:0\n")
    for start in (1, 2):
        async with started(config) as service:
            run_folder = service.configuration.settings.run_folder
            port = int(service.addresses[0].rpartition(":")[2])
            request = {"do": "handoff", "role": "vp-hr", "author": "Laurie", "text": f"Left: number {start}"}
            assert await asyncio.to_thread(ask, run_folder / "mailrouter.sock", request) == start
            mails = [("jane@x.test", ROLE, MAIL % (10 * start + n)) for n in range(5)]
            said = await asyncio.to_thread(send, port, mails)
            assert [reply[:3] for reply in said] == ["250"] * 5
            await until(lambda: len(maildir(tmp_path, "laurie@example.test")) == 5 * start)  # noqa: B023
            await until(lambda: drive(service.store.reader.waiting()) == 0)
            assert (await asyncio.to_thread(ask, run_folder / "mailrouter.sock", {"do": "status"}))[
                "queued"
            ] == 0
            pages = service._pages()
            shown = [await pages[path](Asked()) for path in ("/readyz", "/metrics")]
            assert [answer.status for answer in shown] == [200, 200]
            assert b'mailrouter_queue{state="queued"} 0.0' in shown[1].body
            assert b"mailrouter_handoffs_total %d" % start in shown[1].body
    copies = maildir(tmp_path, "laurie@example.test")
    assert sum(b"number 1" in copy for copy in copies) == sum(b"number 2" in copy for copy in copies) == 5
    reader = open_reader(service.configuration.settings.store)
    assert drive(reader.waiting()) == 0
    reader.close()
