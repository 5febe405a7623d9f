"""Words to the schedule address: what is written, told, undone and asked back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailrouter.calendars.cache import Kept, folder_of, keep
from mailrouter.config.last_good import serving
from tests.intake.rescheduling import (
    COMMENTED,
    ELAINE,
    LAURIE,
    MOMENT,
    OFF,
    SCHEDULE,
    asked,
    file_of,
    folder_in,
    notices,
    running,
    text_of,
)


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
        (row,) = await found.store.reader.schedule_changes("vp-hr", 9)
        assert (row.state, row.author, row.before.decode()) == ("done", "Laurie", COMMENTED)
        assert found.context.desk.rosters["vp-hr"].duty(MOMENT + timedelta(days=4)).on[0].key == "elaine"


async def test_the_same_mail_again_does_nothing(tmp_path: Path) -> None:
    """A server that did not hear our 250 sends it again; it is taken and absorbed."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        for _ in range(2):
            assert (await found.send(asked("off Monday, Elaine covers"), SCHEDULE)).startswith("250")
        assert file_of(tmp_path).count("partner: laurie") == 1
        assert len(await found.store.reader.schedule_changes("vp-hr", 9)) == 1
        assert len(found.offered) == 2


async def test_the_note_is_for_the_file_and_in_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Why somebody is away stands in the file; it is shown back to its writer, and to nobody else."""
    folder_in(tmp_path)
    caplog.set_level("DEBUG")
    async with running(tmp_path) as found:
        await found.send(asked("off Monday (chemotherapy)"), SCHEDULE)
        assert "note: chemotherapy}" in file_of(tmp_path)
        told = {to: text_of(message) for to, message in notices(found).items()}
        assert 'The note in the file: "chemotherapy"' in told["laurie"]
        assert "chemotherapy" not in told["elaine"]
        entry = await found.store.reader.entry((await found.store.reader.schedule_changes("vp-hr", 1))[0].id)
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
        states = [change.state for change in await found.store.reader.schedule_changes("vp-hr", 9)]
        assert states == ["done", "done", "undone", "undone"]


@pytest.mark.parametrize("sent", [MOMENT - timedelta(hours=1), ""])
async def test_an_undo_that_was_delayed_past_a_change_leaves_it(tmp_path: Path, sent: datetime | str) -> None:
    """Nor does one that doesn't say when it was written; what would be undone is named, and an answer undoes it."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(asked("off 7 December", sender=ELAINE), SCHEDULE)
        changed, answered = file_of(tmp_path), notices(found)["laurie"]["Message-ID"]
        await found.send(asked("undo", number=2, sent=sent), SCHEDULE)
        said = text_of(notices(found)["laurie"])
        assert "so nothing was undone. The last change is: Elaine is away" in " ".join(said.split())
        assert file_of(tmp_path) == changed
        await found.send(asked("undo", f"In-Reply-To: {answered}", number=3, sent=sent), SCHEDULE)
        assert file_of(tmp_path) != changed


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
        entry = await found.store.reader.entry(found.store._last_id)
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
        assert "It says:\n\n> off tomorrow\n" in text_of(told["laurie"])
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
        assert found.acceptor.recipient(back.replace("schedule", "handoff")) is not None
        assert found.acceptor.recipient(back) is None
        away = asked("I am away. Who is in? off today", proven=False, to=back, number=14)
        for _ in range(2):
            assert (await found.send(away, back)).startswith("250")
        assert file_of(tmp_path) == COMMENTED
        (offered,) = found.offered
        assert offered.recipient == "laurie@example.test"
        again = notices(found)["laurie"]
        assert again["subject"] == "Please say yes: schedule of VP Human Resources"
        assert again["reply-to"].addresses[0].addr_spec == back
        found.offered.clear()
        assert (await found.send(asked("yes", proven=False, to=back, number=4), back)).startswith("250")
        assert "{partner: laurie, from: 2026-12-04, until: 2026-12-04}" in file_of(tmp_path)
        assert set(notices(found)) == {"laurie", "elaine"}
        assert (await found.send(asked("yes", proven=False, to=back, number=5), back))[:9] == "550 5.7.1"


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


async def test_today_is_the_authors_today_and_hours_are_told_with_their_zone(tmp_path: Path) -> None:
    """At ten in the evening in Los Angeles it is tomorrow in Berlin, where Elaine lives by her own clocks."""
    role = COMMENTED.replace(
        "email: elaine@example.test", "email: elaine@example.test, time_zone: Europe/Berlin"
    )
    folder_in(tmp_path, role)
    late = MOMENT + timedelta(hours=12)
    async with running(tmp_path, late) as found:
        assert (await found.send(asked("off today", sender=ELAINE, sent=late), SCHEDULE)).startswith("250")
        assert "{partner: elaine, from: 2026-12-04, until: 2026-12-04}" in file_of(tmp_path)
        found.offered.clear()
        hers = asked("off 11 Dec from 19:00 to 21:00", sender=ELAINE, number=2, sent=late)
        await found.send(hers, SCHEDULE)
        words = "Elaine is away on Friday 11 December from 19:00 to 21:00 (times of Europe/Berlin)."
        assert words in " ".join(text_of(notices(found)["laurie"]).split())
        await found.send(asked("off today", number=3, sent=late), SCHEDULE)
        assert "{partner: laurie, from: 2026-12-03, until: 2026-12-03}" in file_of(tmp_path)


async def test_ill_until_further_notice_and_back(tmp_path: Path) -> None:
    """What has no end by mail is ended by mail, whoever wrote it and however it stands in the file."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(asked("Elaine is off until further notice, I cover"), SCHEDULE)
        assert "{partner: elaine, from: 2026-12-03, until: further notice, cover: laurie}" in file_of(
            tmp_path
        )
        assert "Elaine is away from today until further notice; Laurie covers." in " ".join(
            text_of(notices(found)["elaine"]).split()
        )
        await found.send(asked("back on Monday", sender=ELAINE, number=2), SCHEDULE)
        assert "{partner: elaine, from: 2026-12-03, until: 2026-12-06, cover: laurie}" in file_of(tmp_path)
