"""Deliveries that are planned anew when they leave, with the delivery loop at work."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from mailrouter.config.retry_settings import Retry
from mailrouter.delivery.dispatch import Dispatcher
from mailrouter.delivery.smtp import SmtpTransport
from mailrouter.intake.release.release import Leaving
from tests.intake.services import service
from tests.intake.test_intake_successor import AFTER, BEFORE, believing, succeeded
from tests.routing.situations import mail
from tests.support.messages import until
from tests.support.misbehaving import misbehaving
from tests.support.outgoing import POOL, TIMEOUTS


async def test_what_takes_the_place_of_a_copy_goes_at_once(tmp_path: Path) -> None:
    """The loop sleeps half a minute where nothing is due: the successor's copy wakes it."""
    async with misbehaving() as server, service(tmp_path, believing(succeeded()), BEFORE) as running:
        leaving = Leaving(running.context, running.store, Retry(), lambda: "")
        dispatcher = Dispatcher(running.store, leaving.follow)
        transport = SmtpTransport(
            "127.0.0.1", server.port, "client.test", dispatcher, leaving.prepare, TIMEOUTS, POOL
        )
        leaving.begin(dispatcher)
        dispatcher.start(transport)
        try:
            await until(lambda: dispatcher._asleep_until > 0)
            assert (await running.send(mail())).startswith("250")
            running.context.clock = lambda: AFTER + timedelta(hours=1)
            dispatcher.offer(running.offered)
            await until(lambda: len(server.received) == 2)
            got = sorted(to for one in server.received for to in one.recipients)
            assert [to.partition("@")[0] for to in got] == ["carmen", "laurie"]
        finally:
            await dispatcher.close(1)
