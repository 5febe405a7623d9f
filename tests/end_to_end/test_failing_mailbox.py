"""A partner's mailbox that has been failing for a day: told, shown, and over as soon as mail arrives."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from pathlib import Path

from mailrouter.clock import now_ms
from mailrouter.moments import DAY_MS
from mailrouter.store.model import FailingMailbox
from mailrouter.store.sqlite.reader import StoreReader
from mailrouter.store.sqlite.store import SqliteStore
from mailrouter.turns import drive
from tests.support.misbehaving import Script, Standing, standing
from tests.support.programs import mailrouter
from tests.support.relay import PARTNERS, ROLE, relay, wait_until, write_configuration
from tests.support.sending import send

LAURIE, ELAINE = PARTNERS
JANE, IT = "jane@outside.test", "it@example.test"
QUICK = "retry: {first: 0.1 s, most: 0.2 s}\n"
FULL = "450 4.2.2 <elaine@example.test>: the mailbox is full"
LINE = b"Mail to Elaine's mailbox has not been arriving since"


def check_live(config: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """What ``check --live`` says."""
    return mailrouter("check", "--live", "--config", str(config), *more)


def kept(folder: Path, since: int) -> None:
    """Leave a store in which Elaine's mailbox has been failing since then."""

    async def keep() -> None:
        store = SqliteStore.open(folder / "var" / "mailrouter.db")
        await store.keep_failing(FailingMailbox(ELAINE, since, since + DAY_MS // 2, FULL))
        await store.keep_failing(FailingMailbox("gone@example.test", since, since + 2 * DAY_MS, FULL))
        store.close()

    asyncio.run(keep())


def got(hop: Standing, who: str) -> list[bytes]:
    """What arrived for this address."""
    return [one.content for one in list(hop.server.received) if who in one.recipients]


def mail(number: int) -> bytes:
    """Another mail to the role."""
    return f"From: {JANE}\r\nTo: {ROLE}\r\nSubject: {number}\r\nMessage-ID: <{number}@x.test>\r\n\r\nHi\r\n".encode()


def test_a_mailbox_that_fails_for_a_day(tmp_path: Path) -> None:
    """Over a restart: the others are told once, copies and ``check --live`` say so, until it takes mail."""
    since = now_ms() - 2 * DAY_MS
    kept(tmp_path, since)
    full = Script({"rcpt": lambda line: FULL if ELAINE in line else None})
    with standing(full) as hop:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{hop.port}", settings=QUICK)
        with relay(config) as running:
            live = check_live(config)
            assert live.returncode == 0, "half a day of failures is no news"
            assert send(running.port, [(JANE, ROLE, mail(1))])[0].startswith("250")
            wait_until(lambda: got(hop, IT) and len(got(hop, LAURIE)) == 2, what="alert and notice")
            wait_until(lambda: hop.server.met["rcpt"] >= 4, what="more tries")
            running.process.send_signal(signal.SIGHUP)
            wait_until(
                lambda: "was read again" in running.log.read_text(), what="a reload, which forgets nothing"
            )
            assert send(running.port, [(JANE, ROLE, mail(2))])[0].startswith("250")
            wait_until(lambda: len(got(hop, LAURIE)) == 3, what="the second copy")
            first, notice, second = sorted(
                got(hop, LAURIE), key=lambda raw: (LINE in raw, b"Subject: Mail" in raw)
            )
            assert b"has not been" not in first
            assert LINE in second
            assert b"Subject: Mail has not been reaching Elaine" in notice
            assert (len(got(hop, IT)), got(hop, JANE)) == (1, [])
            assert b"the mailbox is full" in got(hop, IT)[0]

            live = check_live(config)
            assert live.returncode == 1
            said = " ".join(live.stdout.split())
            assert "The service is running;" in said
            assert f"delivers to smtp://127.0.0.1:{hop.port}." in said
            assert "2 deliveries wait; the oldest mail came " in said
            assert (
                "Mail has not been reaching elaine@example.test (Elaine, VP Human Resources) since " in said
            )
            assert "the mailbox is full" in said
            assert "gone@example.test" not in said
            assert max(map(len, live.stdout.partition("\n\nThe service")[2].splitlines())) <= 80
            data = json.loads(check_live(config, "--json").stdout)["live"]
            assert (data["running"], data["queued"], data["trouble"]) == (True, 2, "")
            assert [one["mailbox"] for one in data["failing"]] == [ELAINE]

            hop.behave()
            wait_until(lambda: len(got(hop, ELAINE)) == 2, what="Elaine's mail")
            wait_until(lambda: check_live(config).returncode == 0, what="a clean bill")
            assert send(running.port, [(JANE, ROLE, mail(3))])[0].startswith("250")
            wait_until(lambda: len(got(hop, LAURIE)) == 4, what="the third copy")
            assert LINE not in got(hop, LAURIE)[-1]
    store = StoreReader(tmp_path / "var" / "mailrouter.db")
    assert drive(store.failing_mailboxes()) == []
    store.close()


def test_live_tells_of_the_next_server_and_of_no_service(tmp_path: Path) -> None:
    """What can't be reached, since when, how much waits; and that nothing runs."""
    with standing() as hop:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{hop.port}", settings=QUICK)
        with relay(config) as running:
            well = check_live(config)
            assert well.returncode == 0
            assert "Nothing waits to be delivered." in well.stdout
            assert "Every partner's mailbox takes mail, as far as is known." in well.stdout
            hop.go_down()
            assert send(running.port, [(JANE, ROLE, mail(1))])[0].startswith("250")
            wait_until(lambda: check_live(config).returncode == 1, what="trouble")
            said = " ".join(check_live(config).stdout.split())
            assert "The next server can't be used since " in said
            assert "Connection refused" in said
            assert "2 deliveries wait" in said
        none = check_live(config)
        assert none.returncode == 1
        assert "No service is running" in none.stdout
        assert json.loads(check_live(config, "--json").stdout)["live"] == {"running": False}
