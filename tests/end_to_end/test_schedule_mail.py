"""Changing the schedule by mail, command and editor, through a real ``mailrouter serve``."""

from __future__ import annotations

import contextlib
import random
import re
import smtplib
import subprocess
import threading
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailrouter import config as configuration
from tests.end_to_end.test_handoff_mail import (
    ELAINE,
    LAURIE,
    PROOF,
    TRUSTING,
    arrive,
    deliver,
    got,
    nothing_more,
    running,
)
from tests.support.examples import by_extent
from tests.support.ports import free_port
from tests.support.programs import mailrouter
from tests.support.relay import PARTNERS, ROLE, Relay, relay, wait_until, write_configuration
from tests.support.sink import Sink

SCHEDULE = "vp-hr+schedule@example.test"
HANDOFF = "vp-hr+handoff@example.test"
CANARY = "canary-9b1e"


def asked(text: str, *fields: str, sender: str = LAURIE, number: str = "1", proof: str = PROOF) -> bytes:
    """A mail to the schedule address."""
    lines = [proof, *fields, f"From: {sender}", f"To: {SCHEDULE}", f"Message-ID: <{number}@example.test>"]
    lines.append(f"Date: {format_datetime(datetime.now(UTC))}")
    return ("\r\n".join(filter(None, lines)) + f"\r\n\r\n{text}\r\n").encode()


def role_file(service: Relay) -> Path:
    """The partners' file."""
    return service.config / "roles" / "vp-hr.yaml"


def command(service_or_folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command beside the service."""
    return mailrouter(*words, "--config", str(service_or_folder))


def said(log: Path, words: str) -> None:
    """Wait for the log to say it."""
    wait_until(lambda: words in log.read_text(), what=f"{words!r} in the log")


def a_day(ahead: int) -> date:
    """A day to come."""
    return date.today() + timedelta(days=ahead)


def test_a_partners_words_are_in_force_at_once(tmp_path: Path) -> None:
    """Both are told, the next mail carries the note, the log has who is on; the other one's ``undo`` takes it back."""
    with running(tmp_path, TRUSTING) as (service, sink):
        before = role_file(service).read_bytes()
        assert deliver(service, asked("off this week, Elaine covers"), SCHEDULE).startswith("250")
        assert b"partner: laurie" in role_file(service).read_bytes()
        arrive(sink, 2)
        assert {path for path, _, _ in sink.taken} == {""}
        plain = f"From: sue@example.test\r\nTo: {ROLE}\r\nSubject: x\r\nMessage-ID: <2@x>\r\n\r\nhello\r\n"
        assert deliver(service, plain.encode(), ROLE, "sue@example.test").startswith("250")
        arrive(sink, 4)
        for partner in PARTNERS:
            assert b"Laurie is away" in sink.taken[2][2]
            assert "Elaine covers" in " ".join(got(sink, partner)[0].get_content().split())
        notice = got(sink, ELAINE)[0]
        undo = asked("undo", f"In-Reply-To: {notice['message-id']}", sender=ELAINE, number="3")
        assert deliver(service, undo, SCHEDULE, ELAINE).startswith("250")
        arrive(sink, 6)
        assert role_file(service).read_bytes() == before
        nothing_more(service, sink, 6)
        assert "the configuration was read again" in service.log.read_text()


def test_proof_question_and_outsiders(tmp_path: Path) -> None:
    """Without DMARC the registered mailbox is asked; a stranger's mail is mail to the role; nobody else hears a word."""
    with running(tmp_path) as (service, sink):
        assert deliver(service, asked("off today", proof=""), SCHEDULE, "spoofer@outside.test").startswith(
            "250"
        )
        arrive(sink, 1)
        before = role_file(service).read_bytes()
        (question,) = got(sink, LAURIE)
        back = question["reply-to"].addresses[0].addr_spec
        stranger = asked("off today", sender="jane@outside.test", number="2")
        assert deliver(service, stranger, SCHEDULE, "jane@outside.test").startswith("250")
        arrive(sink, 3)
        assert {to for _, to, _ in sink.taken[1:]} == set(PARTNERS)
        assert role_file(service).read_bytes() == before
        assert deliver(service, b"Subject: yes\r\n\r\n", back, "private@phone.test").startswith("250")
        arrive(sink, 5)
        assert b"partner: laurie" in role_file(service).read_bytes()
        assert deliver(service, b"Subject: yes\r\n\r\n", back, "private@phone.test").startswith("550 5.7.1")
        assert {to for _, to, _ in sink.taken} == set(PARTNERS)


def test_commands_beside_and_without_a_service(tmp_path: Path) -> None:
    """Either way the file has it and both are told; what can't be done is said."""
    with Sink() as sink:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")
        file = config / "roles" / "vp-hr.yaml"
        before = file.read_bytes()
        day = a_day(40)
        done = command(
            config, "off", "elaine", "--from", day.isoformat(), "--note", "skiing", "--cover", "laurie"
        )
        assert done.returncode == 0, done.stderr
        assert "Elaine is away on" in done.stdout
        assert f"The week of Monday {(day - timedelta(days=day.weekday())).day} " in done.stdout
        assert (
            f"{{partner: elaine, from: {day}, until: {day}, note: skiing, cover: laurie}}" in file.read_text()
        )
        with relay(config) as service:
            arrive(sink, 2)
            done = command(
                config, "swap", "laurie", a_day(41).isoformat(), "--hours", "13:00-17:00", "--json"
            )
            assert done.returncode == 0, done.stderr
            assert '"role": "vp-hr"' in done.stdout
            arrive(sink, 4)
            for _ in range(2):
                assert command(config, "undo").returncode == 0
            arrive(sink, 8)
            assert file.read_bytes() == before
            done = command(config, "undo")
            assert (done.returncode, done.stderr) == (1, "mailrouter undo: There is nothing to undo.\n")
            for words in (
                ["off", "nobody"],
                ["off", "elaine", "--from", "03/04"],
                ["swap", "laurie", "someday"],
            ):
                done = command(config, *words)
                assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
            file.chmod(0o444)
            done = command(config, "off", "elaine", "--from", day.isoformat())
            assert done.returncode == 1
            assert "can't be written here" in done.stderr
            assert "skiing" not in service.log.read_text()
        assert {to for _, to, _ in sink.taken} == set(PARTNERS)


def test_a_changed_file_is_seen_by_itself_and_a_broken_one_holds_over_a_restart(tmp_path: Path) -> None:
    """What is different is in the log; partners and operator hear of a broken text once, also after restarts, and
    again of another one; the last good schedule stays in force; another role goes on."""
    with Sink() as sink:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}", settings=TRUSTING)
        file = config / "roles" / "vp-hr.yaml"
        good = file.read_text()
        other = config / "roles" / "office.yaml"
        other.write_text(good.replace("vp-hr@", "office@").replace("VP Human Resources", "Office"))
        broken = good.replace("friday: elaine", "friday: elane")
        with relay(config) as service:
            file.write_text(good.replace("friday: elaine", "friday: laurie"))
            said(service.log, "elaine -> laurie")
            file.write_text(broken)
            arrive(sink, 3)
            assert [to for _, to, _ in sink.taken] == [*PARTNERS, "it@example.test"]
            text = got(sink, LAURIE)[0].get_content()
            assert (
                'Line 12, "friday: elane": elane is not a partner here; did you mean `elaine`?'
                in " ".join(text.split())
            )
            other.write_text(other.read_text().replace("name: Office", "name: The Office"))
            said(service.log, "office: changed, and nothing is different in who is on")
        with relay(config) as service:
            said(service.log, "vp-hr: its file has problems, so what it said before stays in force")
            plain = (
                f"From: sue@example.test\r\nTo: {ROLE}\r\nSubject: x\r\nMessage-ID: <2@x>\r\n\r\nhello\r\n"
            )
            assert deliver(service, plain.encode(), ROLE, "sue@example.test").startswith("250")
            arrive(sink, 5)
            assert [to for _, to, _ in sink.taken[3:]] == list(PARTNERS)
            done = command(config, "check")
            assert done.returncode == 1
            assert "elane is not a partner here" in done.stderr
            file.write_text(broken.replace("elane", "eline"))
            arrive(sink, 8)
            file.write_text(good)
            said(service.log, "laurie -> elaine")
            file.write_text(broken)
            arrive(sink, 11)
        # Without what was right before there is nothing to go on with.
        for kept in (tmp_path / "var" / "run" / "good").iterdir():
            kept.unlink()
        with pytest.raises(RuntimeError, match="elane is not a partner"):
            Relay(config)


def test_the_weekly_mail_leaves_with_the_role_as_sender(tmp_path: Path) -> None:
    """It was due a moment ago, and the service was down just then."""
    now = datetime.now(ZoneInfo("America/Los_Angeles")) - timedelta(minutes=2)
    other = now + timedelta(days=2)
    with Sink() as sink:
        lines = f"weekly_mail: {{to: sue@example.test, on: {other:%A}}}\n"
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}", lines)
        with relay(config):
            pass  # it has seen the setting now, and waits for that day
        file = config / "roles" / "vp-hr.yaml"
        file.write_text(file.read_text().replace(f"on: {other:%A}", f"on: {now:%A}, at: {now:%H:%M}"))
        with relay(config):
            arrive(sink, 1)
        with relay(config) as service:
            nothing_more(service, sink, 1)
        assert sink.taken[0][:2] == ("", "sue@example.test")
        assert b"Who is in as VP Human Resources" in sink.taken[0][2]


def test_nothing_of_a_handoff_ever_leaves_by_these_ways(tmp_path: Path) -> None:
    """Neither notices about the schedule, nor the file, nor the weekly mail, nor a colleague's copy carries any of
    it; a stand-in named by mail gets none."""
    with running(tmp_path, TRUSTING) as (service, sink):
        handoff = asked(f"Left:\r\n- {CANARY}", number="h").replace(SCHEDULE.encode(), HANDOFF.encode())
        assert deliver(service, handoff, HANDOFF).startswith("250")
        arrive(sink, 2)
        mails = ["off today, Elaine covers", "send file", "week", "nonsense", "undo"]
        for number, text in enumerate(mails, 10):
            assert deliver(service, asked(text, number=str(number)), SCHEDULE).startswith("250")
        arrive(sink, 2 + 2 + 1 + 1 + 1 + 2)
        stranger = asked("off today", sender="jane@outside.test", number="99")
        assert deliver(service, stranger, SCHEDULE, "jane@outside.test").startswith("250")
        arrive(sink, 11)
        command(service.config, "off", "elaine", "--from", a_day(9).isoformat())
        arrive(sink, 13)
    for _, to, content in sink.taken[2:]:
        assert to in PARTNERS
        if (
            CANARY.encode() in content
        ):  # the stranger's mail is mail to the role, and partners get the handoff with it
            assert b"jane@outside.test" in content


ROUNDS = by_extent(3, 6)


def test_kill_9_at_any_moment(tmp_path: Path) -> None:
    """What was answered 250 is in the file, once, whatever the moment; the file always loads; and both are told of
    all of it."""
    chance = random.Random(20261203)
    with Sink() as sink:
        port = free_port()
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}", settings=TRUSTING)
        settings = config / "mailrouter.yaml"
        settings.write_text(settings.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        file = config / "roles" / "vp-hr.yaml"
        taken: list[int] = []
        ended = threading.Event()

        def send() -> None:
            number = 0
            while not ended.is_set():
                day = a_day(20 + number)
                mail = asked(f"off {day.isoformat()}", number=f"k{number}")
                try:
                    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
                        client.sendmail(LAURIE, [SCHEDULE], mail)
                except (OSError, smtplib.SMTPException):
                    ended.wait(0.02)
                    continue
                taken.append(number)
                number += 1

        service = Relay(config)
        sender = threading.Thread(target=send)
        sender.start()
        try:
            for _ in range(ROUNDS):
                enough = len(taken) + chance.randint(2, 6)
                wait_until(lambda: len(taken) >= enough, what="more changes")  # noqa: B023
                ended.wait(chance.random() * 0.05)
                service.kill()
                assert [role.key for role in configuration.load(config).roles] == ["vp-hr"]
                service = Relay(config)
            enough = len(taken) + 1
            wait_until(lambda: len(taken) >= enough, what="a last change")
        finally:
            ended.set()
            sender.join(30)
            text = file.read_text()
            wanted = {(to, f"k{number}") for to in PARTNERS for number in taken}
            with contextlib.suppress(TimeoutError):
                wait_until(lambda: wanted <= told_in(sink))
            service.stop()
        for number in taken:
            assert text.count(f"from: {a_day(20 + number)},") == 1, number
        assert wanted <= told_in(sink)


def told_in(sink: Sink) -> set[tuple[str, str]]:
    """Who was told of which mail; a crash may have something told twice."""
    answered = re.compile(rb"^In-Reply-To: <(\w+)@", re.MULTILINE)
    return {
        (to, found[1].decode()) for _, to, content in list(sink.taken) if (found := answered.search(content))
    }
