"""Calendars and the running service: absences that come from one, feeds that go out, and mail meanwhile."""

from __future__ import annotations

import http.client
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import icalendar

from mailrouter.calendars.cache import folder_of, kept_of
from mailrouter.calendars.feeds import Feeds
from mailrouter.config import load
from tests.calendars.ics import OOF, calendar
from tests.calendars.test_calendars_hostile import WHOLE
from tests.end_to_end.test_service import MAIL, command, hang_up
from tests.support.ports import free_port
from tests.support.relay import PARTNERS, ROLE, Relay, maildir, relay, wait_until, write_configuration
from tests.support.sending import send

ELAINE = "elaine: {name: Elaine Miller, email: elaine@example.test"


def with_calendar(folder: Path, lines: str = "file: elaine.ics", settings: str = "") -> Path:
    """A configuration in which Elaine has a calendar."""
    config = write_configuration(folder, settings=settings)
    role = config / "roles" / "vp-hr.yaml"
    role.write_text(role.read_text().replace(ELAINE, f"{ELAINE}, calendar: {{{lines}}}"))
    return config


def away_now() -> bytes:
    """A calendar whose owner is out of office from yesterday to next week."""
    now = datetime.now(UTC)
    first, last = now - timedelta(days=1), now + timedelta(days=7)
    return calendar(
        f"DTSTART;VALUE=DATE:{first:%Y%m%d}\nDTEND;VALUE=DATE:{last:%Y%m%d}\n{OOF}\nSUMMARY:Surgery"
    )


def noted(folder: Path, port: int) -> bool:
    """Whether the copy of a mail that is sent now says that Elaine is away."""
    before = len(maildir(folder, PARTNERS[0]))
    send(port, [("jane@outside.test", ROLE, MAIL)])
    wait_until(lambda: len(maildir(folder, PARTNERS[0])) > before, what="the copy")
    newest = max(
        (folder / "var" / "mail" / PARTNERS[0] / "new").iterdir(), key=lambda path: path.stat().st_mtime_ns
    )
    return b"Elaine is away" in newest.read_bytes()


def test_mail_says_who_is_away_by_their_calendar(tmp_path: Path) -> None:
    """Read at the start; a calendar that comes with a reload is read at once; nothing of the event travels."""
    config = write_configuration(tmp_path)
    (tmp_path / "elaine.ics").write_bytes(away_now())
    with relay(config) as running:
        assert not noted(tmp_path, running.port)
        with_calendar(tmp_path)
        hang_up(running, "was read again")
        wait_until(lambda: noted(tmp_path, running.port), what="a note by the calendar")
    with relay(config) as running:
        assert noted(tmp_path, running.port), "what was kept holds from the first mail on"
    everything = b"".join(maildir(tmp_path, PARTNERS[0]) + maildir(tmp_path, PARTNERS[1]))
    assert b"Surgery" not in everything
    assert "Surgery" not in running.log.read_text()


def test_a_trial_reads_calendars_and_leaves_those_of_the_service_as_they_are(tmp_path: Path) -> None:
    """Its notes go by them, and its records lie in a folder of their own."""
    config = with_calendar(tmp_path)
    (tmp_path / "elaine.ics").write_bytes(away_now())
    running = Relay(config, ("mailrouter", "serve", "--shadow"))
    kept = load(config).settings.run_folder / "calendars.shadow"
    try:
        wait_until(lambda: kept.is_dir() and len(list(kept.glob("*.json"))) == 1, what="the record")

        def planned() -> bool:
            send(running.port, [("jane@outside.test", ROLE, MAIL)])
            return "a note, because Elaine is away" in command(config, "shadow", "report").stdout

        wait_until(planned, what="a note by the calendar")
    finally:
        running.stop()
    assert not folder_of(load(config)).exists()


def test_a_hostile_calendar_does_not_hold_up_mail(tmp_path: Path) -> None:
    """While it is worked at, each mail is taken as ever; then it has failed, and a stop takes no time."""
    (tmp_path / "elaine.ics").write_bytes(
        WHOLE["a hundred since 1600"][0].replace(b"UID", f"{OOF}\r\nUID".encode())
    )
    config = with_calendar(tmp_path)
    configuration = load(config)
    role = configuration.roles[0]

    def failed() -> bool:
        return bool(kept_of(folder_of(configuration), role, role.person("elaine")).failure)

    slowest, mails = 0.0, 0
    with relay(config) as running:
        while not failed() and mails < 200:
            began = time.monotonic()
            (reply,) = send(running.port, [("jane@outside.test", ROLE, MAIL)], 1)
            slowest = max(slowest, time.monotonic() - began)
            mails += 1
            assert reply.startswith("250")
        print(f"{mails} mails meanwhile, the slowest took {slowest * 1000:.0f} ms")
        assert slowest < 5
        wait_until(failed, 90, "the failure")
        said = "the calendar of elaine can't be read"
        wait_until(lambda: said in running.log.read_text(), what="a line in the log")


def test_stopping_while_a_calendar_is_read(tmp_path: Path) -> None:
    """The reading process ends with the service."""
    (tmp_path / "elaine.ics").write_bytes(
        WHOLE["a hundred since 1600"][0].replace(b"UID", f"{OOF}\r\nUID".encode())
    )
    with relay(with_calendar(tmp_path)) as running:
        children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
        wait_until(lambda: bool(children.read_text().split()), what="the reading process")
        child = children.read_text().split()[0]
        assert running.stop() == 0
    wait_until(lambda: not Path(f"/proc/{child}").exists(), 5, "the end of the reading process")


def get(port: int, path: str, **fields: str) -> tuple[int, dict[str, str], bytes]:
    """Status, header fields in lower case and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(
            "GET", path, headers={name.replace("_", "-"): value for name, value in fields.items()}
        )
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_a_feed_is_given_at_its_address_alone(tmp_path: Path) -> None:
    """200, then 304; 404 for anything else; a new address takes effect at once; no address is in the log."""
    web = free_port()
    config = with_calendar(tmp_path, settings=f"web: 127.0.0.1:{web}\n")
    (tmp_path / "elaine.ics").write_bytes(away_now())
    with relay(config) as running:
        wait_until(lambda: noted(tmp_path, running.port), what="a note by the calendar")
        configuration = load(config)
        key = (configuration.settings.run_folder / "mailrouter.key").read_bytes()
        secret = Feeds(configuration, key).secret(configuration.roles[0])
        status, fields, body = get(web, f"/calendar/{secret}.ics")
        assert (status, fields["content-type"]) == (200, "text/calendar; charset=utf-8")
        titles = {str(event["SUMMARY"]) for event in icalendar.Calendar.from_ical(body).events}
        assert titles == {"Laurie", "Elaine", "Elaine is away"}
        assert b"Surgery" not in body
        assert get(web, f"/calendar/{secret}.ics", If_None_Match=fields["etag"])[::2] == (304, b"")
        for path in (
            f"/calendar/{'a' * 32}.ics",
            f"/calendar/{secret}",
            "/calendar/",
            "/calendar",
        ):
            assert get(web, path)[0] == 404, path
        new = command(config, "calendar-address", "vp-hr", "--new").stdout.strip()
        assert get(web, f"/calendar/{secret}.ics")[0] == 404
        assert get(web, new)[0] == 200
    log = running.log.read_text()
    assert secret not in log
    assert new not in log
