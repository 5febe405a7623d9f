"""What words come to in a schedule: who is in before and after, and what is asked back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from mailrouter.schedule.changes.changes import change_for
from mailrouter.schedule.changes.edits import changed
from mailrouter.schedule.language.lexer import Unclear
from mailrouter.schedule.language.requests import Off, Request, Swapping, Works
from mailrouter.schedule.language.requests_parser import requests_in
from mailrouter.schedule.language.spans import Said
from mailrouter.schedule.views.change_words import span_words
from mailrouter.schedule.views.diff import differences, summed_up, week_lines
from tests.schedule.roles import CARMEN, ELAINE, LAURIE, role_of

NOW = datetime(2026, 12, 3, 10)  # a Thursday
TODAY = NOW.date()
SKIING = "away elaine 2026-12-21..2027-01-01 cover laurie"

# The schedule; what Laurie writes; what was understood; what is different.
DONE = [
    ("", "Elaine is off today, I cover", "Elaine is away on Thursday 3 December; Laurie covers.",
     "Thu 3 Dec: Laurie (was: Elaine)"),
    ("", "Elaine is off from 14:00", "Elaine is away on Thursday 3 December from 14:00.",
     "Thu 3 Dec: Elaine 09:00-14:00 (was: Elaine)"),
    ("", "off Monday and Tuesday", "Laurie is away from Monday 7 December to Tuesday 8 December.",
     "Mon 7 Dec to Tue 8 Dec: nobody (was: Laurie)"),
    ("", "swap Friday with Elaine", "Laurie works on Friday 4 December instead of Elaine.",
     "Fri 4 Dec: Laurie (was: Elaine)"),
    ("", "swap Friday for Tuesday",
     "Laurie works on Friday 4 December instead of Elaine, and Elaine on Tuesday 8 December in return.",
     "Fri 4 Dec: Laurie (was: Elaine); Tue 8 Dec: Elaine (was: Laurie)"),
    ("", "swap Tuesday for Friday",
     "Elaine works on Tuesday 8 December instead of Laurie, and Laurie on Friday 4 December in return.",
     "Fri 4 Dec: Laurie (was: Elaine); Tue 8 Dec: Elaine (was: Laurie)"),
    (SKIING, "Elaine is back on 31 December", "Elaine is back on Thursday 31 December.",
     "Thu 31 Dec to Fri 1 Jan: Elaine (was: Laurie)"),
    ("away elaine 2026-12-03", "Elaine is back today", "Elaine is back today.",
     "Thu 3 Dec: Elaine (was: nobody)"),
    ("away elaine 2026-12-03", "Elaine is back at 13:00", "Elaine is back today from 13:00.",
     "Thu 3 Dec: Elaine 13:00-17:00 (was: nobody)"),
    (SKIING, "cancel Elaine's absence 21 Dec to 1 Jan",
     "Elaine is not away from Monday 21 December to Friday 1 January 2027 any more.",
     "Wed 23 Dec: Laurie 09:00-13:00, Elaine 12:00-17:00 (was: Laurie); "
     "Thu 24 Dec to Fri 25 Dec: Elaine (was: Laurie); "
     "Wed 30 Dec: Laurie 09:00-13:00, Elaine 12:00-17:00 (was: Laurie); "
     "Thu 31 Dec to Fri 1 Jan: Elaine (was: Laurie)"),
    ("swap 2026-12-04 laurie", "cancel the swap on Friday",
     "This no longer holds: Laurie works on Friday 4 December instead of Elaine.",
     "Fri 4 Dec: Elaine (was: Laurie)"),
    ("", "Elaine is off from tomorrow until further notice",
     "Elaine is away from Friday 4 December until further notice.", "Fri 4 Dec: nobody (was: Elaine); …"),
    (SKIING, "cancel Elaine's holiday",
     "Elaine is not away from Monday 21 December to Friday 1 January 2027 any more.",
     "Wed 23 Dec: Laurie 09:00-13:00, Elaine 12:00-17:00 (was: Laurie); …"),
    ("", "I take Elaine's Friday", "Laurie works on Friday 4 December instead of Elaine.",
     "Fri 4 Dec: Laurie (was: Elaine)"),
    ("", "swap Friday afternoon with Elaine",
     "Laurie works on Friday 4 December from 12:00 to 17:00 instead of Elaine.",
     "Fri 4 Dec: Elaine 09:00-12:00, Laurie 12:00-17:00 (was: Elaine)"),
    ("", "swap Friday from 13:00 to 15:00 with Elaine for Tuesday morning",
     "Laurie works on Friday 4 December from 13:00 to 15:00 instead of Elaine, and Elaine on Tuesday 8 December from "
     "09:00 to 12:00 in return.",
     "Fri 4 Dec: Elaine 09:00-13:00 and 15:00-17:00, Laurie 13:00-15:00 (was: Elaine); "
     "Tue 8 Dec: Elaine 09:00-12:00, Laurie 12:00-17:00 (was: Laurie)"),
    ("away elaine 2026-12-04", "Elaine is off Friday, I cover",
     "Elaine is away on Friday 4 December; Laurie covers.", "Fri 4 Dec: Laurie (was: nobody)"),
]  # fmt: skip

ASKED_BACK = [
    ("", "I take Elaine's Monday", "Elaine isn't in on Monday 7 December"),
    ("", "cancel my holiday", "Nothing of Laurie's stands"),
    ("away elaine 2026-12-04; away elaine 2026-12-11", "cancel Elaine's absence", "More than one thing"),
    ("", "swap Wednesday with Elaine", "are both in on Wednesday 9 December"),
    ("", "swap Saturday with Elaine", "are both not in on Saturday 5 December"),
    ("", "swap Friday for Monday 14 Dec and Tuesday", "missing"),
    ("", "swap Friday for Thursday 10 Dec", "isn't Laurie's day to give back"),
    ("", "Elaine is back today", "isn't away today"),
    (SKIING, "cancel Elaine's absence on 24 Dec", "Elaine is away from Monday 21 December"),
    ("", "cancel Friday", "Nothing of Laurie's stands in the schedule on Friday 4 December"),
    ("away elaine 2026-12-04; swap 2026-12-04 laurie", "cancel Elaine's Friday", "More than one thing"),
    (f"{SKIING}; away elaine 2027-01-02..2027-01-05", "Elaine is back on 31 Dec", "cancel that first"),
]

STANDS = [
    ("swap 2026-12-04 laurie", "I take Elaine's Friday"),
    ("away elaine 2026-12-04", "Elaine is off Friday"),
    (SKIING, "Elaine is off 21 Dec to 1 Jan, I cover"),
    (SKIING, "Elaine is off 21 Dec to 1 Jan"),
    ("swap 2026-12-04 laurie for 2026-12-08", "swap Friday for Tuesday"),
]


def understood(schedule: str, text: str):  # type: ignore[no-untyped-def]
    """The role before, and the change."""
    role = role_of(schedule)
    return role, change_for(role, requests_in(text, "", role, "laurie", NOW), NOW)


@pytest.mark.parametrize(("schedule", "text", "words", "different"), DONE, ids=[row[1] for row in DONE])
def test_what_is_done(schedule: str, text: str, words: str, different: str) -> None:
    """The words say what was understood, and who is in is different just there."""
    role, change = understood(schedule, text)
    assert " ".join(change.words) == words
    after = changed(role, change.edits)
    found = "; ".join(d.in_mail() for d in differences(role, after, TODAY))
    assert found == different or (different.endswith("…") and found.startswith(different[:-1]))


@pytest.mark.parametrize(("schedule", "text", "why"), ASKED_BACK, ids=[row[1] for row in ASKED_BACK])
def test_what_is_asked_back(schedule: str, text: str, why: str) -> None:
    """What would change nothing, or could mean two things."""
    with pytest.raises(Unclear) as caught:
        understood(schedule, text)
    assert why in caught.value.why


@pytest.mark.parametrize(("schedule", "text"), STANDS, ids=[row[1] for row in STANDS])
def test_what_stands_already_changes_nothing(schedule: str, text: str) -> None:
    """And is said."""
    _, change = understood(schedule, text)
    assert change.edits == ()
    assert "stands so already" in change.words[0]


def test_several_requests_build_on_each_other() -> None:
    """The second sees what the first has changed."""
    role, change = understood("", "Elaine is off Friday to Tuesday\nElaine is back on Monday")
    after = changed(role, change.edits)
    assert [(a.start, a.end) for a in after.absences] == [(datetime(2026, 12, 4), datetime(2026, 12, 7))]


def test_a_week_line_by_line() -> None:
    """Hours only where they aren't the role's, nobody where somebody should be, no line for a free weekend."""
    role = role_of("away elaine 2026-12-04; zone Europe/Berlin")
    assert week_lines(role, date(2026, 11, 30), date(2026, 12, 6)) == [
        "Mon 30 Nov: Laurie",
        "Tue 1 Dec: Laurie",
        "Wed 2 Dec: Laurie 09:00-13:00, Elaine 12:00-17:00",
        "Thu 3 Dec: Elaine",
        "Fri 4 Dec: nobody",
    ]


def test_the_log_names_keys_and_stretches() -> None:
    """Days that follow each other with the same difference are one line."""
    old, new = role_of(), role_of("away elaine 2026-12-03..2026-12-12 cover laurie")
    lines = [d.in_log(TODAY) for d in differences(old, new, TODAY, by_key=True)]
    assert lines == [
        "Thursday 3 December to Friday 4 December: elaine -> laurie",
        "Wednesday 9 December: laurie 09:00-13:00, elaine 12:00-17:00 -> laurie",
        "Thursday 10 December to Friday 11 December: elaine -> laurie",
    ]


def test_what_comes_again_each_week_is_told_once() -> None:
    """Where the rota has changed; what differs three times at most is told day by day."""
    role, other = role_of(), role_of("rota mon laurie, tue elaine, wed laurie, thu elaine, fri elaine")
    found = differences(role, other, TODAY)
    tuesdays, wednesdays = sorted(summed_up(found, TODAY), key=lambda one: one.first.weekday())
    assert tuesdays.in_mail() == ("each Tuesday from 8 December on: Elaine (was: Laurie)")
    assert wednesdays.in_log(TODAY) == (
        "each Wednesday from 9 December on: Laurie 09:00-13:00, Elaine 12:00-17:00 -> Laurie"
    )
    (some,) = summed_up([one for one in found if one.first.weekday() == 1][:5], TODAY)
    assert some.in_mail() == "Tuesday, 5 times from 8 December to 5 January 2027: Elaine (was: Laurie)"
    (gaps,) = summed_up([one for one in found if one.first.weekday() == 1][::2], TODAY)
    assert gaps.in_log(TODAY) == "Tuesday from 8 December on, 29 times in 400 days: Laurie -> Elaine"
    few = [one for one in found if one.first.weekday() == 1][:3]
    assert summed_up(few, TODAY) == few


def test_a_shift_over_midnight_is_told_on_both_days() -> None:
    """Each day has its part."""
    role = role_of("rota fri elaine 22:00-06:00; zone Europe/Berlin")
    assert week_lines(role, date(2026, 12, 4), date(2026, 12, 5)) == [
        "Fri 4 Dec: Elaine 22:00-24:00",
        "Sat 5 Dec: Elaine 00:00-06:00",
    ]


@pytest.mark.parametrize(
    "asked",
    [
        Off("carmen", (Said(datetime(2026, 12, 7), datetime(2026, 12, 8), True),)),
        Off("laurie", (Said(datetime(2026, 12, 7), datetime(2026, 12, 8), True),), cover="carmen"),
        Works("carmen", date(2026, 12, 8)),
        Swapping("laurie", "carmen", date(2026, 12, 8)),
    ],
)
def test_nobody_works_before_or_after_their_time(asked: Request) -> None:
    """Not as a cover, not by a swap and not on the day given back; on their last day they may."""
    role = role_of("partners laurie elaine carmen; rota mon elaine, tue laurie, fri carmen")
    former = replace(CARMEN, until=date(2026, 11, 30))
    with pytest.raises(Unclear, match="Carmen is no partner after Monday 30 November"):
        change_for(replace(role, partners=(LAURIE, ELAINE, former)), [asked], NOW)
    later = replace(role, partners=(LAURIE, ELAINE, replace(CARMEN, since=date(2027, 1, 1))))
    with pytest.raises(Unclear, match="Carmen is no partner before Friday 1 January 2027"):
        change_for(later, [asked], NOW)
    assert change_for(role, [asked], NOW).edits


def test_nobody_gives_back_a_day_after_their_time() -> None:
    """Carmen's last day is between the two."""
    role = role_of("partners laurie elaine carmen; rota mon elaine, tue laurie, fri carmen")
    leaving = replace(role, partners=(LAURIE, ELAINE, replace(CARMEN, until=date(2026, 12, 12))))
    asked = Swapping("laurie", "carmen", date(2026, 12, 11), date(2026, 12, 15))
    assert change_for(role, [asked], NOW).edits
    with pytest.raises(Unclear, match="Carmen is no partner after Saturday 12 December"):
        change_for(leaving, [asked], NOW)


def test_a_swap_is_told_without_former_partners() -> None:
    """Who is no partner on that day does not work instead of anybody, nor is it worked instead of them."""
    role = role_of("partners laurie elaine carmen; rota mon laurie")
    role = replace(role, partners=(LAURIE, ELAINE, replace(CARMEN, until=date(2026, 12, 7))))
    said = change_for(role, [Works("elaine", date(2026, 12, 7), date(2026, 12, 8))], NOW).words
    assert said == (
        "Elaine works on Monday 7 December instead of Laurie and Carmen, and Laurie on Tuesday 8 December in return.",
    )


def test_spans_in_words() -> None:
    """Whole days, parts of one, and moments of two."""
    day = date(2026, 12, 3)
    assert (
        span_words(datetime(2026, 12, 3), datetime(2026, 12, 3, 12), day)
        == "on Thursday 3 December until 12:00"
    )
    assert (
        span_words(datetime(2026, 12, 3, 14), datetime(2026, 12, 4, 9), day)
        == "from Thursday 3 December at 14:00 to Friday 4 December at 09:00"
    )
