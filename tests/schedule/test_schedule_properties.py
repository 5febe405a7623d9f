"""What holds for every schedule that can be written down, not only for those somebody thought of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from time import process_time
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter.schedule.duty import Roster
from mailrouter.schedule.model import FOREVER, Absence, Every, HolidayRule, Person, Role, Rota, Shift, Swap
from mailrouter.schedule.timeline import Span, timeline
from tests.schedule.roles import CARMEN, ELAINE, LAURIE, PAT, at, ends_the_night, role_of
from tests.support.examples import examples

# Zone and a day near which its clocks change, as oddly as they do anywhere.
PLACES = [
    ("America/Los_Angeles", date(2026, 3, 8)),
    ("America/Los_Angeles", date(2026, 11, 1)),
    ("Europe/Berlin", date(2026, 12, 30)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("America/Havana", date(2026, 11, 1)),
    ("America/Goose_Bay", date(2010, 11, 7)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("UTC", date(2028, 2, 29)),
]
MINUTES = st.integers(0, 95).map(lambda quarter: quarter * 15)


@st.composite
def roles(
    draw: st.DrawFn, places: list[tuple[str, date]] = PLACES, days_away: bool = True
) -> tuple[Role, datetime]:
    """A role with whatever can stand in its file, and a moment about which things happen.

    With ``days_away`` a bound of an absence at midnight is a day, as in a file; else every bound is a time.
    """
    zone, day = draw(st.sampled_from(places))
    partners = draw(st.sampled_from([(LAURIE,), (LAURIE, ELAINE), (LAURIE, ELAINE, CARMEN)]))
    keys = st.sampled_from([person.key for person in partners])
    days = st.integers(-3, 4).map(lambda ahead: day + timedelta(days=ahead))
    walls = st.builds(lambda d, m: datetime.combine(d, time.min) + timedelta(minutes=m), days, MINUTES)
    lengths = st.integers(1, 96).map(lambda quarter: timedelta(minutes=quarter * 15))
    shifts = st.builds(lambda w, s, n: Shift(w, s, s + n // timedelta(minutes=1)), keys, MINUTES, lengths)
    rota_days = st.lists(shifts, max_size=2).map(tuple)
    weeks = draw(st.lists(st.tuples(*[rota_days] * 7), min_size=1, max_size=2))
    covers = st.one_of(st.none(), keys, st.just(PAT))

    def absence(who: str, start: datetime, length: timedelta, cover: str | Person | None) -> Absence:
        end = start + length * 3
        from_day, until_day = (days_away and bound.time() == time.min for bound in (start, end))
        return Absence(who, start, end, "", cover, from_day, until_day)

    absences = st.builds(absence, keys, walls, lengths, covers)
    hours = st.one_of(
        st.just((None, None)), st.builds(lambda s, n: (s, s + n), MINUTES, st.integers(15, 1440))
    )
    swaps = st.builds(
        lambda who, on, back, h: Swap(who, on, back, *h), keys, days, st.one_of(st.none(), days), hours
    )
    rule = HolidayRule("US", None, tuple((d, "a day off") for d in draw(st.lists(days, max_size=2))))
    role = Role(
        key="role",
        address="role@example.test",
        name="Role",
        time_zone=ZoneInfo(zone),
        partners=partners,
        rota=Rota(tuple(weeks), day),
        holidays=draw(st.sampled_from([None, rule])),
        absences=tuple(draw(st.lists(absences, max_size=3))),
        swaps=tuple(draw(st.lists(swaps, max_size=3))),
    )
    ahead = timedelta(minutes=draw(st.integers(-4 * 1440, 4 * 1440)))
    return role, datetime.combine(day, time(12), UTC) + ahead


def merged(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """The spans with equal neighbours made one."""
    found: list[Span] = []
    for span in spans:
        if found and (found[-1].on, found[-1].why) == (span.on, span.why):
            span = Span(found.pop().start, span.end, span.on, span.why)
        found.append(span)
    return tuple(found)


@given(roles(), st.integers(1, 6 * 1440))
@settings(max_examples=examples(120))
def test_a_timeline_covers_every_minute_exactly_once(drawn: tuple[Role, datetime], minutes: int) -> None:
    """Spans follow one another from the start to the end, none is empty, and neighbours differ."""
    role, start = drawn
    end = start + timedelta(minutes=minutes)
    spans = timeline(role, start, end)
    assert (spans[0].start, spans[-1].end) == (start, end)
    assert all(span.start < span.end and len(set(span.on)) == len(span.on) for span in spans)
    assert all(a.end == b.start and (a.on, a.why) != (b.on, b.why) for a, b in pairwise(spans))


@given(roles())
@settings(max_examples=examples(120))
def test_nobody_who_is_absent_is_ever_on_duty(drawn: tuple[Role, datetime]) -> None:
    """Whenever the clocks of the role's zone show a time within an absence, that person is not on.

    But for the night before a day off: it is theirs to its end.
    """
    role, around = drawn
    start = around - timedelta(days=2)
    for span in timeline(role, start, start + timedelta(days=5)):
        for absence in role.absences:
            moment = span.start
            while moment < span.end:
                wall = moment.astimezone(role.time_zone).replace(tzinfo=None)
                if absence.who in span.on and absence.start <= wall < absence.end:
                    assert ends_the_night(Roster(role), absence, moment, role.time_zone)
                moment += timedelta(minutes=5)


NIGHTS = st.lists(
    st.one_of(st.none(), st.tuples(MINUTES, st.integers(1, 96).map(lambda quarter: quarter * 15))),
    min_size=7,
    max_size=7,
)


@given(NIGHTS, st.integers(1, 6), st.integers(1, 4))
@settings(max_examples=examples(60))
def test_days_off_take_the_shifts_that_begin_on_them(
    drawn: list[tuple[int, int] | None], first: int, length: int
) -> None:
    """A shift a day, over midnight or not, none before the last is over: those of days off are free, and no other."""
    monday, week, free = date(2026, 6, 1), [], 0
    for shift in (None, *drawn[1:]):  # nothing of Sunday's runs into Monday's
        start = max(shift[0], free) if shift else 1440
        week.append((Shift("laurie", start, start + shift[1]),) if shift and start < 1440 else ())
        free = max(0, (start + shift[1] if shift and start < 1440 else free) - 1440)
    gone = [monday + timedelta(days=first + n) for n in range(length)]
    begin, end = (datetime.combine(d, time.min) for d in (gone[0], gone[-1] + timedelta(1)))
    absence = Absence("laurie", begin, end)
    rota = Rota((tuple(week),), monday)
    role = replace(role_of(), time_zone=ZoneInfo("UTC"), holidays=None, rota=rota, absences=(absence,))
    expected = {
        datetime.combine(day, time.min, UTC) + timedelta(minutes=minute)
        for day in (monday + timedelta(days=n) for n in range(-1, 14))
        for shift in week[day.weekday()]
        for minute in range(shift.start, shift.end, 15)
        if day not in gone
    }
    moment = datetime.combine(monday, time.min, UTC)
    for span in timeline(role, moment, moment + timedelta(days=13)):
        while moment < span.end:
            assert ("laurie" in span.on) == (moment in expected), moment
            moment += timedelta(minutes=15)


@given(roles(), st.integers(0, 3000), st.integers(0, 3000))
@settings(max_examples=examples(120))
def test_a_timeline_in_two_parts_is_the_same_timeline(
    drawn: tuple[Role, datetime], first: int, second: int
) -> None:
    """Where a timeline is cut makes no difference: its parts, put together, are the whole."""
    role, a = drawn
    b = a + timedelta(minutes=first)
    c = b + timedelta(minutes=second)
    assert merged(timeline(role, a, b) + timeline(role, b, c)) == timeline(role, a, c)


@given(roles(), st.lists(st.integers(-3000, 3000), min_size=1, max_size=20))
@settings(max_examples=examples(80))
def test_duty_agrees_with_the_timeline(drawn: tuple[Role, datetime], minutes: list[int]) -> None:
    """A roster asked in any order gives what a fresh one gives, and names on duty whom the timeline names."""
    role, around = drawn
    roster = Roster(role)
    for minute in minutes:
        moment = around + timedelta(minutes=minute)
        duty = roster.duty(moment)
        (span,) = timeline(role, moment, moment + timedelta(microseconds=1))
        assert tuple(person.key for person in duty.on) == span.on
    assert duty == Roster(role).duty(moment)


@given(roles())
@settings(max_examples=examples(80))
def test_what_duty_promises_is_kept_by_the_timeline(drawn: tuple[Role, datetime]) -> None:
    """Nobody is on within a gap; who is back, or next, is on from then and was not just before."""
    role, moment = drawn
    duty = Roster(role).duty(moment)
    starts = [(away.person, away.back) for away in duty.away] + list(duty.next_on)
    for person, start in starts:
        if start is not None:
            before, after = timeline(
                role, start - timedelta(microseconds=1), start + timedelta(microseconds=1)
            )
            assert person.key in after.on
            assert person.key not in before.on
    if duty.gap and duty.gap.end:
        assert duty.gap.start <= moment < duty.gap.end
        since = max(duty.gap.start, duty.gap.end - timedelta(days=14))
        assert not any(span.on for span in timeline(role, since, duty.gap.end))
    assert not {away.person.key for away in duty.away if away.absence} & {person.key for person in duty.on}


PUBLIC = frozenset((date(2026, 12, 25), date(2027, 1, 1)))
"""The public holidays of the United States about the days that are drawn for it."""


def by_the_book(role: Role, moment: datetime) -> set[str]:
    """The five layers, said once more for one moment of a zone whose clocks never change."""
    now = moment.replace(tzinfo=None)

    def within(day: date, start: int, end: int) -> bool:
        midnight = datetime.combine(day, time.min)
        return midnight + timedelta(minutes=start) <= now < midnight + timedelta(minutes=end)

    def shifts(day: date) -> tuple[Shift, ...]:
        monday, first = (d - timedelta(days=d.weekday()) for d in (day, role.rota.starting or day))
        return role.rota.weeks[(monday - first).days // 7 % len(role.rota.weeks)][day.weekday()]

    def off(day: date) -> bool:
        return role.holidays is not None and (day in dict(role.holidays.also) or day in PUBLIC)

    def absent(who: str) -> list[Absence]:
        return [a for a in role.absences if a.who == who and a.start <= now < a.end]

    rota: dict[str, date] = {}
    for day in (now.date() - timedelta(days=1), now.date()):
        rota.update({s.who: day for s in shifts(day) if within(day, s.start, s.end)})
    on = {who: day for who, day in rota.items() if not off(day)}
    for swap in role.swaps:
        start = role.hours[0] if swap.start is None else swap.start
        end = role.hours[1] if swap.end is None else swap.end
        if within(swap.day, start, end) and set(on) != {swap.who}:
            on = {swap.who: swap.day}
        if swap.given_back and on.get(swap.who) == swap.given_back:
            others = [s for s in shifts(swap.day) if s.who != swap.who]
            replaced = {s.who for s in others if s.start < end and s.end > start}
            partners = {p.key for p in role.partners} - {swap.who}
            if takers := replaced or {s.who for s in others} or partners:
                del on[swap.who]
                on = dict.fromkeys(takers, swap.given_back) | on
    gone = {who for who in on if absent(who)}
    covers = [
        a.cover if isinstance(a.cover, str) else a.cover.key
        for who in gone
        for a in absent(who)
        if a.cover and not off(rota.get(who, now.date()))
    ]
    return (set(on) - gone) | {who for who in covers if not absent(who)}


@given(roles([("UTC", date(2028, 2, 29)), ("UTC", date(2026, 12, 31))], days_away=False))
@settings(max_examples=examples(150))
def test_the_layers_are_those_of_the_book(drawn: tuple[Role, datetime]) -> None:
    """A plain retelling of the layers for single moments finds the same people on duty as the timeline."""
    role, around = drawn
    for span in timeline(role, around - timedelta(days=1), around + timedelta(days=1)):
        assert by_the_book(role, span.start) == set(span.on)
        assert by_the_book(role, span.end - timedelta(microseconds=1)) == set(span.on)


def test_an_absence_on_each_day_that_comes_round_takes_no_minutes() -> None:
    """Four hundred days that touch each other are joined, and not each compared with each (it took over a minute)."""
    daily = Absence("elaine", datetime(2026, 1, 1), FOREVER, every=Every((0, 1, 2, 3, 4, 5, 6)))
    role = replace(role_of(), absences=(daily,))
    began = process_time()
    (away,) = Roster(role).duty(at(role, "2026-12-03 10:00")).away
    assert away.until > at(role, "2027-12-03 10:00")
    assert process_time() - began < 20
