"""Mail to the schedule address, with a real file and a real store behind: what is written, told, undone and refused."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailrouter.calendars.kept import Kept, folder_of, keep
from mailrouter.config.serving import serving
from mailrouter.config.writing import CannotWrite
from mailrouter.errors import MailrouterError, StoreError
from mailrouter.intake.commanded import as_json, change_by_command, from_json
from mailrouter.intake.explanation import explained
from mailrouter.intake.facts import Desk
from mailrouter.intake.keys import Keys
from mailrouter.message.scanner import Scanner
from mailrouter.schedule.said import Off, Plain, Works
from mailrouter.schedule.said_dates import spans_in
from tests.intake.services import KEY, Service, service
from tests.routing.situations import templates
from tests.support.relay import ROLE_FILE

MOMENT = datetime(2026, 12, 3, 18, tzinfo=UTC)  # Thursday, ten in the morning in Los Angeles
SCHEDULE = "vp-hr+schedule@example.test"
US = "mail.example.test"
LAURIE, ELAINE = "laurie@example.test", "elaine@example.test"
SETTINGS = f"hostname: mx.example.test\nour_domains: [example.test]\nauthserv_id: {US}\n"
COMMENTED = f"# ours\n{ROLE_FILE}# the end\n"
OFF = "  - {partner: laurie, from: 2026-12-07, until: 2026-12-07, cover: elaine}\n"


def folder_in(place: Path, role: str = COMMENTED) -> Path:
    """A configuration of one role."""
    made = place / "config"
    (made / "roles").mkdir(parents=True, exist_ok=True)
    (made / "mailrouter.yaml").write_text(SETTINGS)
    (made / "roles" / "vp-hr.yaml").write_text(role)
    return made


def desk_in(folder: Path) -> Desk:
    """A desk for what is in force there."""
    now = serving(folder)
    return Desk(now.configuration, templates(), Keys(KEY), texts=now.texts)


@asynccontextmanager
async def running(place: Path, moment: datetime = MOMENT) -> AsyncIterator[Service]:
    """An intake that takes up what it has changed, as the service does."""
    folder = place / "config"
    async with service(place, desk_in(folder), moment) as found:

        async def changed() -> None:
            found.intake.desk = desk_in(folder)

        found.intake.files.changed = changed
        yield found


def asked(
    text: str, *fields: str, sender: str = LAURIE, number: int = 1, proven: bool = True, to: str = SCHEDULE
) -> bytes:
    """A mail to the schedule address."""
    lines = [
        *([f"Authentication-Results: {US}; dmarc=pass"] if proven else []),
        f"From: {sender}",
        f"To: {to}",
        f"Message-ID: <{number}@example.test>",
        "Content-Type: text/plain; charset=utf-8",
        *fields,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + text.replace("\n", "\r\n") + "\r\n").encode()


def file_of(place: Path) -> str:
    """The role's file."""
    return (place / "config" / "roles" / "vp-hr.yaml").read_text()


def notices(found: Service) -> dict[str, EmailMessage]:
    """What was offered, by the recipient's local part; the last one each; and forget it."""
    made = {
        to: email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[misc]
        for to, raw in found.sent("notice").items()
    }
    found.offered.clear()
    return made


def text_of(message: EmailMessage) -> str:
    """What a partner reads."""
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


async def test_what_is_understood_is_written_and_both_are_told(tmp_path: Path) -> None:
    """One line more in the file, everything else as it was; the next question sees it."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        assert (await found.send(asked("off Monday, Elaine covers"), SCHEDULE)).startswith("250")
        assert file_of(tmp_path) == COMMENTED + "absences:\n" + OFF
        told = notices(found)
        assert set(told) == {"laurie", "elaine"}
        for message in told.values():
            text = text_of(message)
            assert "- Laurie is away on Monday 7 December; Elaine covers.\n" in text
            assert "Mon 7 Dec: Elaine (was: Laurie)\n" in text
            assert "The week of Monday 7 December:\n\nMon 7 Dec: Elaine\nTue 8 Dec: Laurie\n" in text
            assert message["auto-submitted"] == "auto-generated"
            assert str(message["from"].addresses[0].addr_spec) == SCHEDULE
            assert max(map(len, text.splitlines())) <= 76
        (row,) = found.store.reader.schedule_changes("vp-hr", 9)
        assert (row.state, row.author, row.before.decode()) == ("done", "Laurie", COMMENTED)
        assert found.intake.desk.rosters["vp-hr"].duty(MOMENT + timedelta(days=4)).on[0].key == "elaine"


async def test_the_same_mail_again_does_nothing(tmp_path: Path) -> None:
    """A server that did not hear our 250 sends it again; it is taken and absorbed."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        for _ in range(2):
            assert (await found.send(asked("off Monday, Elaine covers"), SCHEDULE)).startswith("250")
        assert file_of(tmp_path).count("partner: laurie") == 1
        assert len(found.store.reader.schedule_changes("vp-hr", 9)) == 1
        assert len(found.offered) == 2


async def test_the_note_is_for_the_file_and_in_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Why somebody is away stands in the file alone."""
    folder_in(tmp_path)
    caplog.set_level("DEBUG")
    async with running(tmp_path) as found:
        await found.send(asked("off Monday (chemotherapy)"), SCHEDULE)
        assert "note: chemotherapy}" in file_of(tmp_path)
        assert all("chemotherapy" not in text_of(message) for message in notices(found).values())
        entry = found.store.reader.entry(found.store.reader.schedule_changes("vp-hr", 1)[0].id)
        assert entry is not None
        assert "chemotherapy" not in " ".join(entry.message.reasons)
    assert "chemotherapy" not in caplog.text


async def test_undo_puts_the_very_bytes_back(tmp_path: Path) -> None:
    """By the other partner, in answer to the notice; again, it takes back the change before."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(asked("off Monday, Elaine covers"), SCHEDULE)
        first = file_of(tmp_path)
        await found.send(asked("swap Friday with Elaine", number=2), SCHEDULE)
        answered = notices(found)["elaine"]["message-id"]
        undo = asked("Undo!", f"In-Reply-To: {answered}", sender=ELAINE, number=3)
        assert (await found.send(undo, SCHEDULE)).startswith("250")
        assert file_of(tmp_path) == first
        text = text_of(notices(found)["laurie"])
        assert "Elaine changed the schedule" in text
        assert "- Undone: Laurie works on Friday 4 December instead of Elaine." in text
        await found.send(asked("undo", number=4), SCHEDULE)
        assert file_of(tmp_path) == COMMENTED
        await found.send(asked("undo", number=5), SCHEDULE)
        assert "There is nothing to undo." in text_of(notices(found)["laurie"])
        states = [change.state for change in found.store.reader.schedule_changes("vp-hr", 9)]
        assert states == ["done", "done", "undone", "undone"]


async def test_undo_never_takes_back_something_else(tmp_path: Path) -> None:
    """Not a newer change than the one that is answered, and not what somebody wrote by hand since."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(asked("off Monday, Elaine covers"), SCHEDULE)
        answered = notices(found)["laurie"]["message-id"]
        await found.send(asked("swap Friday with Elaine", number=2), SCHEDULE)
        notices(found)
        now = file_of(tmp_path)
        await found.send(asked("undo", f"References: <x@y> {answered}", number=3), SCHEDULE)
        told = notices(found)
        assert set(told) == {"laurie"}
        assert "is not the last change any more" in text_of(told["laurie"])
        assert file_of(tmp_path) == now
        by_hand = now.replace("# the end", "# changed by hand")
        (tmp_path / "config" / "roles" / "vp-hr.yaml").write_text(by_hand)
        await found.send(asked("undo", number=4), SCHEDULE)
        assert "was changed by hand since" in text_of(notices(found)["laurie"])
        assert file_of(tmp_path) == by_hand


async def test_what_is_not_understood_is_answered_with_examples_to_its_author(tmp_path: Path) -> None:
    """And nothing is changed; each example is understood."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        assert (await found.send(asked("off 03/04"), SCHEDULE)).startswith("250")
        told = notices(found)
        assert set(told) == {"laurie"}
        text = text_of(told["laurie"])
        assert "03/04 can be 3 April or 4 March." in text
        entry = found.store.reader.entry(found.store._last_id)
        assert entry is not None
        assert "03/04" not in " ".join(entry.message.reasons)  # a partner's own words are not for others
        assert file_of(tmp_path) == COMMENTED
        lines = text.partition("one line each:\n\n")[2].partition("\n\n")[0].splitlines()
        assert len(lines) == 9
        for number, line in enumerate(lines, 10):
            await found.send(asked(line, number=number), SCHEDULE)
            assert "not understood" not in text_of(notices(found)["laurie"]), line


async def test_without_proof_the_partner_is_asked_first(tmp_path: Path) -> None:
    """The answer counts; ``today`` is the day on which it was written; what isn't understood is mail, unanswered."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        assert (await found.send(asked("off tomorrow", proven=False), SCHEDULE)).startswith("250")
        assert file_of(tmp_path) == COMMENTED
        told = notices(found)
        assert set(told) == {"laurie"}
        assert "It says:\n\noff tomorrow\n" in text_of(told["laurie"])
        back = told["laurie"]["reply-to"].addresses[0].addr_spec
        assert re.fullmatch(r"vp-hr\+schedule-[a-z2-7]{22}@example\.test", back)
        for number, reply in ((12, "250"), (13, "250"), (2, "450 4.7.1")):
            later = asked("undo", proven=False, number=number)
            assert (await found.send(later, SCHEDULE)).startswith(reply)
        found.offered.clear()
        assert (await found.send(asked("lunch?", proven=False, sender=ELAINE, number=3), SCHEDULE))[
            :3
        ] == "250"
        assert found.sent("notice") == {}
        assert set(found.sent("copy")) == {"laurie"}  # by the header Elaine's own mail, so it reaches Laurie
        found.offered.clear()
    async with running(tmp_path, MOMENT + timedelta(days=2)) as found:
        assert found.intake.recipient(back.replace("schedule", "handoff")) is not None
        assert found.intake.recipient(back) is None
        away = asked("I am away. Who is in? off today", proven=False, to=back, number=14)
        for _ in range(2):
            assert (await found.send(away, back)).startswith("250")
        assert file_of(tmp_path) == COMMENTED
        (told,) = found.offered
        assert told.recipient == "laurie@example.test"
        again = notices(found)["laurie"]
        assert again["subject"] == "Please say yes: schedule of VP Human Resources"
        assert again["reply-to"].addresses[0].addr_spec == back
        found.offered.clear()
        assert (await found.send(asked("yes", proven=False, to=back, number=4), back)).startswith("250")
        assert "{partner: laurie, from: 2026-12-04, until: 2026-12-04}" in file_of(tmp_path)
        assert set(notices(found)) == {"laurie", "elaine"}
        assert (found.intake.recipient(back) or "")[:9] == "550 5.7.1"


@pytest.mark.parametrize(
    "fields",
    [
        ("From: jane@example.test",),
        ("From: jane@outside.test",),
        ("Auto-Submitted: auto-replied",),
        ("List-Id: <a.b>",),
    ],
    ids=str,
)
async def test_whoever_is_no_partner_writes_to_the_role(tmp_path: Path, fields: tuple[str, ...]) -> None:
    """Both partners get it as mail; nothing is changed and nobody is answered."""
    folder_in(tmp_path)
    raw = asked("off today", *fields)
    if fields[0].startswith("From"):
        raw = raw.replace(f"From: {LAURIE}\r\n".encode(), b"")
    async with running(tmp_path) as found:
        sender = "jane@outside.test"
        assert (await found.send(raw, SCHEDULE, sender=sender)).startswith("250")
        assert file_of(tmp_path) == COMMENTED
        assert {delivery.kind for delivery in found.offered} == {"copy"}
        assert {delivery.recipient for delivery in found.offered} == {LAURIE, ELAINE}


async def test_the_file_is_sent_and_taken_back(tmp_path: Path) -> None:
    """As it is, to the one who asked; edited and attached it is taken, with what is different."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(asked("send file"), SCHEDULE)
        told = notices(found)
        assert set(told) == {"laurie"}
        (part,) = told["laurie"].iter_attachments()
        assert part.get_filename() == "vp-hr.yaml"
        content = part.get_content().replace("\r\n", "\n")
        assert content == COMMENTED
        answer = told["laurie"]["message-id"]
        edited = content.replace("friday: elaine", "friday: laurie   # from now on")
        assert (await found.send(with_file(edited, answer, 2), SCHEDULE)).startswith("250")
        assert file_of(tmp_path) == edited
        told = notices(found)
        assert set(told) == {"laurie", "elaine"}
        assert "Fri 4 Dec: Laurie (was: Elaine)" in text_of(told["elaine"])
        # It was changed since the file was sent, so the same answer once more would undo that.
        stale = content.replace("monday: laurie", "monday: elaine")
        await found.send(with_file(stale, answer, 3), SCHEDULE)
        assert "was changed since it was sent to you" in text_of(notices(found)["laurie"])
        assert file_of(tmp_path) == edited


def with_file(content: str, answered: str = "", number: int = 1, name: str = "vp-hr.yaml") -> bytes:
    """Laurie's mail with a file attached."""
    message = EmailMessage()
    message["Authentication-Results"] = f"{US}; dmarc=pass"
    message["From"], message["To"], message["Message-ID"] = LAURIE, SCHEDULE, f"<{number}@example.test>"
    if answered:
        message["In-Reply-To"] = answered
    message.set_content("Here it is.\n")
    message.add_attachment(content.encode(), "application", "x-yaml", filename=name)
    return message.as_bytes(policy=email.policy.SMTP)


async def test_a_file_with_errors_is_answered_with_them(tmp_path: Path) -> None:
    """Each with its line, in the words of ``check``; the file stays. Also where the mail's own text is the file."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(with_file("", number=8), SCHEDULE)
        assert "is empty, or too large" in " ".join(text_of(notices(found)["laurie"]).split())
        wrong = COMMENTED.replace("friday:", "fryday:") + "note: sometimes\n"
        await found.send(with_file(wrong), SCHEDULE)
        text = text_of(notices(found)["laurie"])
        assert "Line 13: `fryday` is not known here; did you mean `friday`?" in text
        assert "Line 16:" in text
        await found.send(asked(COMMENTED.replace("friday: elaine", "friday: laurie"), number=2), SCHEDULE)
        assert "friday: laurie" in file_of(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        ("email: elaine@example.test", "email: eve@evil.test"),
        ("  elaine: {name: Elaine Miller, email: elaine@example.test}\n", ""),
        ("emergency:", "aliases: [it@example.test]\nemergency:"),
        ("role: vp-hr@", "role: vp@"),
        ("elaine@example.test}", "elaine@example.test, until: 2026-12-04}"),
        ("laurie@example.test}", "laurie@example.test, from: 2026-12-01}"),
        ("elaine@example.test}", "elaine@example.test, calendar: {url: 'https://192.0.2.1/x'}}"),
        (
            "# the end",
            "absences:\n  - partner: elaine\n    from: 2026-12-07\n    until: 2026-12-07\n"
            "    cover: {name: Eve, email: eve@evil.test}",
        ),
        ("# the end", "weekly_mail: {to: [eve@evil.test]}"),
    ],
    ids=str,
)
async def test_who_the_partners_are_is_not_changed_by_mail(tmp_path: Path, change: tuple[str, str]) -> None:
    """Nor the role's addresses: whoever could write in a partner's name would get the role's mail, and its handoffs."""
    role = COMMENTED.replace("thursday: elaine", "thursday: laurie").replace(
        "friday: elaine", "friday: laurie"
    )
    role = role.replace("[laurie 09:00-13:00, elaine 12:00-17:00]", "laurie")
    folder_in(tmp_path, role)
    async with running(tmp_path) as found:
        await found.send(with_file(role.replace(*change)), SCHEDULE)
        told = notices(found)
        assert set(told) == {"laurie"}
        said = " ".join(text_of(told["laurie"]).split())
        assert "can't be changed by mail" in said or "can't be brought in by mail (eve@evil.test)" in said
        assert file_of(tmp_path) == role


@pytest.mark.parametrize("line", ["cover: {name: Pat, email: pat@example.test}", "cover: elaine"])
async def test_a_colleague_may_cover_by_mail(tmp_path: Path, line: str) -> None:
    """Our own people may be named in an edited file."""
    role = COMMENTED + f"absences:\n  - {{partner: laurie, from: 2026-12-07, until: 2026-12-08, {line}}}\n"
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(with_file(role), SCHEDULE)
        assert file_of(tmp_path) == role


async def test_a_file_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    """To its author, with what IT can do; nothing is left half, and the mail isn't lost in a loop of tries."""
    folder_in(tmp_path)
    (tmp_path / "config" / "roles" / "vp-hr.yaml").chmod(0o444)
    async with running(tmp_path) as found:
        assert (await found.send(asked("off Monday"), SCHEDULE)).startswith("250")
        told = notices(found)
        assert set(told) == {"laurie"}
        assert "can't be written here" in text_of(told["laurie"])
        assert found.store.reader.schedule_changes("vp-hr", 9) == []
    assert file_of(tmp_path) == COMMENTED
    assert [path.name for path in (tmp_path / "config" / "roles").iterdir()] == ["vp-hr.yaml"]


async def test_a_file_that_is_broken_already_is_told(tmp_path: Path) -> None:
    """With what is wrong in it: no change is put into what nobody can read."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        broken = COMMENTED.replace("friday:", "fryday:")
        (tmp_path / "config" / "roles" / "vp-hr.yaml").write_text(broken)
        await found.send(asked("off Monday"), SCHEDULE)
        text = text_of(notices(found)["laurie"])
        assert "The file has problems as it is" in text
        assert "fryday" in text
        assert file_of(tmp_path) == broken


async def test_two_at_once_are_both_done(tmp_path: Path) -> None:
    """One after the other: neither overwrites the other."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        both = (
            found.send(asked("off Monday", number=1), SCHEDULE),
            found.send(asked("off Friday", sender=ELAINE, number=2), SCHEDULE, sender=ELAINE),
        )
        assert all(reply.startswith("250") for reply in await asyncio.gather(*both))
        assert "{partner: laurie, from: 2026-12-07" in file_of(tmp_path)
        assert "{partner: elaine, from: 2026-12-04" in file_of(tmp_path)


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("when", ["before the commit", "behind it", "behind the rename"])
async def test_a_crash_at_any_moment_leaves_all_or_nothing(tmp_path: Path, when: str) -> None:
    """After a restart the change is whole, with what is told of it, once; or it has not happened, and the mail that
    comes again does it."""
    folder_in(tmp_path)
    mail = asked("off Monday, Elaine covers")
    async with running(tmp_path) as found:
        store = found.store
        real_accept, real_finish = store.accept, store.finish_change

        async def accept(*args):  # type: ignore[no-untyped-def]
            if when == "before the commit":
                raise Crash
            await real_accept(*args)
            raise Crash

        async def finish(change):  # type: ignore[no-untyped-def]
            raise Crash

        if when == "behind the rename":
            store.finish_change = finish  # type: ignore[method-assign]
        else:
            store.accept = accept  # type: ignore[method-assign]
        with pytest.raises(Crash):
            await found.send(mail, SCHEDULE)
        store.accept, store.finish_change = real_accept, real_finish  # type: ignore[method-assign]
        assert (file_of(tmp_path) == COMMENTED) == (when != "behind the rename")
    async with running(tmp_path) as found:
        wrote = await found.intake.files.recover(found.intake.desk)
        assert wrote == (when == "behind it")
        assert (await found.send(mail, SCHEDULE)).startswith("250")
        assert file_of(tmp_path) == COMMENTED + "absences:\n" + OFF
        (change,) = found.store.reader.schedule_changes("vp-hr", 9)
        assert change.state == "done"
        entry = found.store.reader.entry(change.id)
        assert entry is not None
        assert [d.kind for d in entry.deliveries] == ["notice", "notice"]
        assert found.store.reader.begun_schedule_changes() == []


@pytest.mark.parametrize("crashed", [True, False])
async def test_a_change_that_can_not_be_put_in_after_all_is_told_instead(
    tmp_path: Path, crashed: bool
) -> None:
    """Somebody wrote the file in the moment between commit and rename: their text stays, and what was to be told of
    the change is withdrawn."""
    folder_in(tmp_path)
    theirs = COMMENTED.replace("# the end", "# theirs")
    path = tmp_path / "config" / "roles" / "vp-hr.yaml"
    async with running(tmp_path) as found:
        real = found.store.accept

        async def accept(*args):  # type: ignore[no-untyped-def]
            queued = await real(*args)
            path.write_text(theirs)
            if crashed:
                raise Crash
            return queued

        found.store.accept = accept  # type: ignore[method-assign]
        if crashed:
            with pytest.raises(Crash):
                await found.send(asked("off Monday"), SCHEDULE)
        else:
            assert (await found.send(asked("off Monday"), SCHEDULE)).startswith("250")
            assert found.offered == []
        found.store.accept = real  # type: ignore[method-assign]
    async with running(tmp_path) as found:
        assert await found.intake.files.recover(found.intake.desk) is False
        (change,) = found.store.reader.schedule_changes("vp-hr", 9)
        assert change.state == "lost"
        entry = found.store.reader.entry(change.id)
        assert entry is not None
        assert [d.state for d in entry.deliveries] == ["withdrawn", "withdrawn", "queued", "queued"]
        due = await found.store.claim(10, int(MOMENT.timestamp() * 1000) * 2)
        assert [delivery.recipient for delivery in due] == [LAURIE, ELAINE]
        assert b"could not be put into the file after all" in due[0].pieces
    assert file_of(tmp_path) == theirs


async def test_a_store_that_fails_leaves_no_draft(tmp_path: Path) -> None:
    """The mail is to come again."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:

        async def accept(*args):  # type: ignore[no-untyped-def]
            raise StoreError("No room.")

        found.store.accept = accept  # type: ignore[method-assign]
        with pytest.raises(StoreError):
            await found.send(asked("off Monday"), SCHEDULE)
    assert [path.name for path in (tmp_path / "config" / "roles").iterdir()] == ["vp-hr.yaml"]


async def test_a_command_does_the_same_and_both_are_told(tmp_path: Path) -> None:
    """Off, a swap and undoing it; through JSON as over the socket; what stands already is refused in words."""
    folder_in(tmp_path)
    now = datetime(2026, 12, 3, 10)
    async with running(tmp_path) as found:

        async def command(request):  # type: ignore[no-untyped-def]
            import json

            again = from_json(json.loads(json.dumps(as_json(request), default=str)))
            assert again == request
            return await change_by_command(
                found.intake.desk, found.store, found.intake.files, "vp-hr", [again], MOMENT
            )

        off = Off("laurie", spans_in("Monday", now), "elaine")
        assert await command(off) == "Laurie is away on Monday 7 December; Elaine covers."
        assert file_of(tmp_path) == COMMENTED + "absences:\n" + OFF
        with pytest.raises(MailrouterError, match="stands so already"):
            await command(off)
        swap = Works("laurie", datetime(2026, 12, 4).date(), None, (720, 1020))
        assert "on Friday 4 December from 12:00 to 17:00" in await command(swap)
        assert "swaps:\n  - {date: 2026-12-04, partner: laurie, hours: 12:00-17:00}\n" in file_of(tmp_path)
        assert (await command(Plain("undo"))).startswith("Undone: Laurie works")
        due = await found.store.claim(10, int(MOMENT.timestamp() * 1000))
        assert [(d.kind, d.recipient) for d in due] == [("notice", LAURIE), ("notice", ELAINE)] * 3
        assert b"A command changed the schedule" in due[0].pieces
        (tmp_path / "config" / "roles" / "vp-hr.yaml").chmod(0o444)
        with pytest.raises(CannotWrite):
            await command(Plain("undo"))


@pytest.mark.parametrize(
    "data", [{}, {"kind": "Off"}, {"kind": "Off", "spans": "x"}, {"kind": "Works", "day": 3}]
)
def test_a_request_that_is_none_is_refused(data: dict[str, object]) -> None:
    """In words, for whoever wrote to the socket."""
    with pytest.raises(MailrouterError, match="no change of a schedule"):
        from_json(data)


async def test_history_is_bounded(tmp_path: Path) -> None:
    """The newest fifty changes of a role are kept."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        for number in range(30):
            await found.send(asked("off Monday", number=2 * number), SCHEDULE)
            await found.send(asked("undo", number=2 * number + 1), SCHEDULE)
        changes = found.store.reader.schedule_changes("vp-hr", 100)
        assert len(changes) == 50
    assert file_of(tmp_path) == COMMENTED
    mode = (tmp_path / "mailrouter.db").stat().st_mode & 0o777
    assert mode == 0o600
    with sqlite3.connect(tmp_path / "mailrouter.db") as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM schedule_change WHERE role = 'x' AND state = 'done' AND undoes = 0"
            " ORDER BY id DESC LIMIT 1"
        ).fetchall()
    connection.close()
    assert "SEARCH" in plan[0][3]
    assert len(plan) == 1


async def test_explain_tells_what_would_come_of_it(tmp_path: Path) -> None:
    """Without doing any of it."""
    folder_in(tmp_path)
    raw = asked("off Monday, Elaine covers")
    scanner = Scanner()
    scanner.feed(raw)
    shape = scanner.finish()
    desk = desk_in(tmp_path / "config")
    found = explained(
        desk, None, scanner.head, shape, list(desk.configuration.roles), LAURIE, MOMENT, [SCHEDULE], raw
    )
    assert [notice.recipient for notice in found.notices] == [LAURIE, ELAINE]
    assert found.about == "schedule"
    assert any("the file is changed" in reason for reason in found.reasons)
    assert file_of(tmp_path) == COMMENTED


OUTLOOK = """\
undo

________________________________
From: VP Human Resources <vp-hr+schedule@example.test>
Sent: Thursday, December 3, 2026 10:00 AM
To: Laurie Cremona <laurie@example.test>
Subject: Schedule of VP Human Resources

Laurie changed the schedule: off Monday
"""
PHONE = """\
undo

Sent from my iPhone

> On Dec 3, 2026, at 10:00, VP Human Resources <vp-hr+schedule@example.test> wrote:
>
> - Laurie is away on Monday 7 December; Elaine covers.
"""
GMAIL = """\
Hi,
undo

Thanks!
--{space}
Laurie Cremona
off until further notice

On Thu, Dec 3, 2026 at 10:00 AM VP Human Resources <vp-hr+schedule@example.test>
wrote:
> Laurie changed the schedule
""".replace("{space}", " ")
PAGE = """\
<html><head><style>p {color: red}</style></head><body><p>undo</p><br>
<div class="gmail_quote"><div>On Thu, VP HR wrote:<br></div><blockquote><p>off Friday</p></blockquote></div></body></html>
"""


@pytest.mark.parametrize(
    ("text", "kind"),
    [(OUTLOOK, "plain"), (PHONE, "plain"), (GMAIL, "plain"), (PAGE, "html")],
    ids=["outlook", "phone", "gmail", "html"],
)
async def test_answers_as_mail_programs_write_them(tmp_path: Path, text: str, kind: str) -> None:
    """What is quoted, a signature and a phone's advertisement ask for nothing."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(asked("off Monday, Elaine covers"), SCHEDULE)
        raw = asked(text, number=2).replace(
            b"Content-Type: text/plain", f"Content-Type: text/{kind}".encode()
        )
        assert (await found.send(raw, SCHEDULE)).startswith("250")
        assert file_of(tmp_path) == COMMENTED


async def test_a_calendars_absences_are_shown_and_never_written(tmp_path: Path) -> None:
    """The mail shows the week with them, the file gets only what was said, and one can't be cancelled here."""
    role = COMMENTED.replace("elaine@example.test}", "elaine@example.test, calendar: {file: elaine.ics}}")
    folder_in(tmp_path, role)
    read = serving(tmp_path / "config").configuration
    friday = datetime(2026, 12, 4, 8, tzinfo=UTC)  # midnight in Los Angeles
    kept = Kept(MOMENT, MOMENT, MOMENT, busy=((friday, friday + timedelta(days=1)),), events=1)
    keep(folder_of(read), read.roles[0], read.roles[0].person("elaine"), kept)

    async def told(text: str, number: int) -> str:
        assert (await found.send(asked(text, number=number), SCHEDULE)).startswith("250")
        return " ".join(text_of(notices(found)["laurie"]).split())

    async with running(tmp_path) as found:
        assert "Fri 4 Dec: nobody" in await told("week", 1)
        for number, text in enumerate(("cancel Elaine's absence on Friday", "Elaine is back on Friday"), 2):
            said = await told(text, number)
            assert "comes from a partner's own calendar" in said
            assert "Fri 4 Dec: nobody" in said or "this week" not in said
        assert file_of(tmp_path) == role
        assert "Fri 4 Dec: Laurie (was: nobody)" in await told("Elaine is off Friday, I cover", 4)
        line = "  - {partner: elaine, from: 2026-12-04, until: 2026-12-04, cover: laurie}\n"
        assert sorted(file_of(tmp_path).splitlines(True)) == sorted(
            [*role.splitlines(True), "absences:\n", line]
        )
        said = await told("undo", 5)
        assert "Fri 4 Dec: nobody (was: Laurie)" in said
        assert file_of(tmp_path) == role


@pytest.mark.parametrize("text", ["what is this", "week", "off yesterday", "undo"])
async def test_answers_show_the_week_of_a_role_with_a_former_partner(tmp_path: Path, text: str) -> None:
    """Elaine's last day was Tuesday, and the rota names her still."""
    folder_in(tmp_path, COMMENTED.replace("elaine@example.test}", "elaine@example.test, until: 2026-12-01}"))
    async with running(tmp_path) as found:
        assert (await found.send(asked(text), SCHEDULE)).startswith("250")
        told = notices(found)
        assert set(told) == {"laurie"}
        said = text_of(told["laurie"])
        assert "Elaine" not in said
        assert "The week of Monday 30 November, as it stands:\n\nnobody\n" in said
