"""Dates in people's words: each as it is meant, and asked back wherever it can mean two things."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.schedule.date_words import MONTHS, WEEKDAYS
from mailrouter.schedule.language.lexer import Unclear
from mailrouter.schedule.language.spans import Said, day_in, spans_in

NOW = datetime(2026, 12, 3, 10)  # a Thursday

UNDERSTOOD = {
    "today": "12-03 .. 12-04",
    "tomorrow": "12-04 .. 12-05",
    "the day after tomorrow": "12-05 .. 12-06",
    "on Friday": "12-04 .. 12-05",
    "Thursday 10 Dec": "12-10 .. 12-11",
    "Thursday, 3 December": "12-03 .. 12-04",
    "this Thursday": "12-03 .. 12-04",
    "21 Dec": "12-21 .. 12-22",
    "21. December": "12-21 .. 12-22",
    "the 21st of December": "12-21 .. 12-22",
    "December 21st, 2026": "12-21 .. 12-22",
    "2026-12-21": "12-21 .. 12-22",
    "21/12": "12-21 .. 12-22",
    "12/21/2026": "12-21 .. 12-22",
    "21.12.": "12-21 .. 12-22",
    "12/12": "12-12 .. 12-13",
    "21 Dec to 1 Jan": "12-21 .. 01-02",
    "from 21 December until 1 January 2027": "12-21 .. 01-02",
    "Dec 21 - Jan 1": "12-21 .. 01-02",
    "21-23 December": "12-21 .. 12-24",
    "21 to 23 Dec 2026": "12-21 .. 12-24",
    "Dec 21 to 23": "12-21 .. 12-24",
    "Monday to Wednesday": "12-07 .. 12-10",
    "Mon–Wed": "12-07 .. 12-10",
    "until Friday": "12-03 .. 12-05",
    "this week": "12-03 .. 12-07",
    "next week": "12-07 .. 12-14",
    "today and tomorrow": "12-03 .. 12-05",
    "today, tomorrow and Monday": "12-03 .. 12-05; 12-07 .. 12-08",
    "24 Dec and 31 Dec": "12-24 .. 12-25; 12-31 .. 01-01",
    "tomorrow morning": "12-04 .. 12-04 12:00",
    "tomorrow afternoon": "12-04 12:00 .. 12-05",
    "this afternoon": "12-03 12:00 .. 12-04",
    "from 14:00": "12-03 14:00 .. 12-04",
    "tomorrow from 2 pm": "12-04 14:00 .. 12-05",
    "from 2:30pm tomorrow": "12-04 14:30 .. 12-05",
    "tomorrow 14:00-16:00": "12-04 14:00 .. 12-04 16:00",
    "tomorrow from 9 am to noon": "12-04 09:00 .. 12-04 12:00",
    "until 14:00": "12-03 .. 12-03 14:00",
    "tomorrow until 11:00": "12-04 .. 12-04 11:00",
    "from 21 Dec 14:00 to 23 Dec 12:00": "12-21 14:00 .. 12-23 12:00",
    "29 Feb 2028": "28-02-29 .. 28-03-01",
    "4, 11 and 18 Dec": "12-04 .. 12-05; 12-11 .. 12-12; 12-18 .. 12-19",
    "Friday next week": "12-11 .. 12-12",
    "Mon to Wed next week": "12-07 .. 12-10",
    "all week": "12-03 .. 12-07",
    "the week of 16 Dec": "12-14 .. 12-21",
    "for two weeks from 7 Dec": "12-07 .. 12-21",
    "for 3 days": "12-03 .. 12-06",
    "today 2-4 pm": "12-03 14:00 .. 12-03 16:00",
    "tomorrow from 10 to 2pm": "12-04 10:00 .. 12-04 14:00",
    "the rest of the day": "12-03 10:00 .. 12-04",
    "until further notice": "12-03 .. 99-01-01",
    "from Monday until further notice": "12-07 .. 99-01-01",
}

ASKED_BACK = {
    "yesterday": "Yesterday is over already",
    "every Friday": "comes round",
    "Mondays": "comes round",
    "from Monday": "until further notice",
    "03/04": "3 April or 4 March",
    "3.4.": "3 April or 4 March",
    "3/4/2027": "3 April or 4 March",
    "21/12/26": "four figures",
    "Thursday": "Is today meant by Thursday, or Thursday 10 December?",
    "next Friday": "Is Friday 4 December meant",
    "this Monday": "over; is Monday 7 December meant",
    "Friday 10 Dec": "Thursday 10 December is no Friday",
    "2 Dec": "If 2027 is meant, write the year",
    "1 March 2025": "over already",
    "30 Feb": "There is no 30 February",
    "29 Feb 2027": "no 2027-02-29",
    "13/13": "There is no 13",
    "the 21st": "Which day is meant",
    "21 Dec to 20": "Which month is meant by the 20",
    "1 Jan to 21 Dec 2026": "end before it begins",
    "tonight": "Write the hours",
    "tomorrow at 3": "not understood",
    "25:00": "is no time",
    "tomorrow from 16:00 to 14:00": "end before it begins",
    "1 Jan 2027 to 1 March 2028": "more than 400 days",
    "until 09:00": "is over already",
    "1 January 2035": "Is the year 2035 meant",
    "someday": "not understood",
    "today?": "not understood",
    "today or tomorrow": "not understood",
    "": "missing",
}


def written(spans: tuple[Said, ...]) -> str:
    """``12-21 .. 12-22``, with hours where they aren't midnight and the year where it is none of these two."""

    def one(moment: datetime) -> str:
        year = "" if moment.year in (2026, 2027) else f"{moment:%y}-"
        return f"{year}{moment:%m-%d}" + ("" if moment.time() == time.min else f" {moment:%H:%M}")

    return "; ".join(f"{one(span.start)} .. {one(span.end)}" for span in spans)


@pytest.mark.parametrize(("text", "meant"), UNDERSTOOD.items())
def test_what_is_understood(text: str, meant: str) -> None:
    """Half-open, in wall times; in any case and with a comma or without."""
    assert written(spans_in(text, NOW)) == meant
    assert written(spans_in(text.upper(), NOW)) == meant


@pytest.mark.parametrize(("text", "why"), ASKED_BACK.items())
def test_what_is_asked_back(text: str, why: str) -> None:
    """With the two readings, or what is wrong."""
    with pytest.raises(Unclear) as caught:
        spans_in(text, NOW)
    assert why in caught.value.why
    assert caught.value.why.endswith((".", "?"))


DAYS = st.dates(date(2026, 12, 3), date(2027, 9, 20))


@given(DAYS)
def test_every_day_in_words_is_that_day(day: date) -> None:
    """With its month as a word, in the order of either side of the Atlantic, with or without weekday and year."""
    month = MONTHS[day.month - 1]
    for text in (
        f"{day.day} {month}",
        f"{month} {day.day}",
        f"{WEEKDAYS[day.weekday()]} {day.day} {month[:3]}",
        f"{day.day} {month} {day.year}",
        day.isoformat(),
    ):
        assert day_in(text, NOW.date()) == day, text


@given(st.integers(1, 12), st.integers(1, 31), st.sampled_from(["/", "."]))
def test_figures_alone_are_never_guessed(day: int, month: int, mark: str) -> None:
    """Two numbers that can both be months are a day only if they are the same."""
    text = f"{day}{mark}{month}" + ("." if mark == "." else "")
    try:
        found = day_in(text, NOW.date())
    except Unclear:
        return
    assert day == month or month > 12
    assert {found.day, found.month} == {day, month}


@given(DAYS, DAYS)
def test_a_range_holds_both_its_ends(first: date, last: date) -> None:
    """``until`` is the last day; a range backwards is asked back."""
    text = f"{first.isoformat()} to {last.isoformat()}"
    if last < first:
        with pytest.raises(Unclear):
            spans_in(text, NOW)
        return
    (span,) = spans_in(text, NOW)
    assert (span.start.date(), span.last_day, span.whole_days) == (first, last, True)
    assert span.end - span.start == (last - first) + timedelta(days=1)


@given(st.text(max_size=60))
def test_whatever_is_written_gives_spans_or_a_question(text: str) -> None:
    """Nothing else is raised, and what is given is in order, not over, and has a length."""
    try:
        spans = spans_in(text, NOW)
    except Unclear:
        return
    assert all(span.start < span.end and span.end > NOW for span in spans)
