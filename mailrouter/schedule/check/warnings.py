"""Oddities of well-formed schedules: for ``check``, the console and the partners. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from mailrouter.address import canonical
from mailrouter.schedule.check.staffing import comings_and_goings, uncovered
from mailrouter.schedule.countries import country_of, days_of_parts, parts_of
from mailrouter.schedule.date_words import called, date_words, joined
from mailrouter.schedule.holidays import holiday
from mailrouter.schedule.layers import Layers
from mailrouter.schedule.localtime import at_minute, day_start, local_day, minutes_range
from mailrouter.schedule.model import FOREVER, Absence, Role, Swap
from mailrouter.schedule.nights import Nights, works_nights
from mailrouter.schedule.swaps import swap_minutes, takes_over
from mailrouter.schedule.timeline import day_range, timeline
from mailrouter.schedule.views.change_words import night_words, through_night

AHEAD = 28
"""Days looked at for days with nobody, today included."""
_TOLD = 3
"""Of one kind of oddity so many are told one by one."""
_FAR = 400
"""Days looked at for partners who are all away at once."""


def warnings(role: Role, today: date) -> list[str]:
    """One sentence for each oddity, most pressing first; ``today`` is a day of the role's zone.

    Days with nobody that begin in the next four weeks, partners who go, hours that the rota leaves to nobody, partners
    all away at once, swaps without effect, holidays that hit nobody, an emergency contact out of reach, absences past.
    """
    layers = Layers(role)
    return [
        *_nobody(layers, today),
        *comings_and_goings(role, today, AHEAD),
        *uncovered(role, today, AHEAD),
        *_all_away(layers, today),
        *(words for swap in role.swaps for words in _without_effect(layers, swap, today)),
        *_holidays_for_nobody(layers, today),
        *_out_of_reach(role),
        *_passed(role, today),
    ]


def no_holidays(role: Role, today: date) -> Iterator[str]:
    """The warning that public holidays are working days for some. None were named, for some partners or all."""
    partners = [p for p in role.partners if p.until is None or p.until >= today]
    without = [p for p in partners if p.holidays is None] if role.holidays is None else []
    if without:
        names = called(role)
        whose = "" if len(without) == len(partners) else f" for {joined(names[p.key] for p in without)}"
        country = country_of(role.time_zone.key) or "US"
        yield f"no public holidays are named{whose}; add holidays: {{country: {country}}}, or holidays: none"


def too_few_holidays(role: Role, today: date) -> Iterator[str]:
    """The warning that a country alone has too few holidays.

    Each of its parts has holidays of its own, such as in Great Britain.
    """
    names = called(role)
    rules = [("", role.holidays), *((names[person.key], person.holidays) for person in role.partners)]
    for whose, rule in rules:
        if rule is None or not rule.country or rule.subdivision:
            continue
        missing = [day for day in days_of_parts(rule.country, today) if day[0].weekday() < 5]
        if not missing:
            continue
        days = [f"{name} ({date_words(day, today)})" for day, name in missing[:_TOLD]]
        if len(missing) > _TOLD:
            days.append("others")
        parts = parts_of(rule.country)
        first = parts.partition(" ")[0].rstrip(",")
        yield (
            f"the holidays{f' of {whose}' if whose else ''} are those that all of {rule.country} has; most of its parts "
            f"have {joined(days)} as well. Name the part, as in "
            f"{{country: {rule.country}, subdivision: {first}}}: {parts}"
        )


def _nobody(layers: Layers, today: date) -> Iterator[str]:
    """Working days without anybody on duty; those that follow one another are one sentence, to their real end."""
    run: list[date] = []
    by_night = works_nights(layers.role)
    for ahead in range(_FAR):
        if ahead >= AHEAD and not run:
            return
        day = today + timedelta(days=ahead)
        if not layers.working_day(day):
            continue
        if not (_manned(layers, day) if by_night else layers.anybody(day)):
            run.append(day)
        elif run:
            yield _nobody_words(layers, run, today)
            run = []
    if run:
        yield f"nobody is on duty from {date_words(run[0], today)}, for a year and beyond"


def _manned(layers: Layers, day: date) -> bool:
    """Whether somebody is on duty in a shift that begins on ``day``: the night before may run into it."""
    for shift in layers.terms.shifts(day):
        zone = shift.zone or layers.zone
        first, last = minutes_range(shift.start, shift.end)
        opens, closes = at_minute(day, first, zone), at_minute(day, last, zone, end=True)
        if any(slot.on and slot.end > opens and slot.start < closes for slot in layers.onwards(day, 1)):
            return True
    return False


def _nobody_words(layers: Layers, days: list[date], today: date) -> str:
    first, last = days[0], days[-1]
    words = f"nobody is on duty on {date_words(first, today)}"
    if len(days) > 1:
        words = f"nobody is on duty from {date_words(first, today)} to {date_words(last, today)}"
    nights = Nights(layers.role)
    over = [nights.night(last, key) for key in layers.rostered(last)]
    if any(over):
        words = through_night(words, last, one=len(days) == 1 and all(over))
    return words if len(days) == 1 else f"{words}, on {len(days)} working days"


def _all_away(layers: Layers, today: date) -> Iterator[str]:
    """Stretches, not yet over, in which all partners are absent at once; of one alone nothing is said."""
    role = layers.role
    partners = [p for p in role.partners if p.until is None or p.until >= today]
    if len(partners) < 2:
        return
    now, ahead = (day_start(today + timedelta(days=days), layers.zone) for days in (0, _FAR))
    # Whoever has absences without an end comes last: only the days on which the others are away are looked at.
    first, *others = sorted(partners, key=lambda person: layers.leaves.rounds(person.key))
    shared = [(leave.start, leave.end) for leave in layers.leaves.between(first.key, now, ahead)]
    for person in others:
        pairs = [
            (max(start, leave.start), min(end, leave.end))
            for start, end in shared
            for leave in layers.leaves.between(person.key, start, min(end, ahead))
        ]
        shared = [(start, end) for start, end in pairs if start < end]
    nights = Nights(role)
    names = joined(called(role)[person.key] for person in partners)
    word = "both" if len(partners) == 2 else "all"
    shared.sort()
    for start, end in shared[:_TOLD]:
        first_day = local_day(start, layers.zone)
        last_day = local_day(end - timedelta(microseconds=1), layers.zone)
        of_night = nights.any and end > day_start(last_day, layers.zone)
        of_night = of_night and any(nights.begins(last_day, person.key) == end for person in partners)
        if of_night and first_day < last_day:
            last_day -= timedelta(days=1)
        until = "" if first_day == last_day else f" until {date_words(last_day, today)}"
        if end.year >= FOREVER.year - 1:
            until, of_night = " until further notice", False
        said = f"{names} are {word} away {'from' if until else 'on'} {date_words(first_day, today)}{until}"
        yield through_night(said, last_day, one=not until) if of_night else said
    if len(shared) > _TOLD:
        yield f"{names} are {word} away at once {len(shared) - _TOLD} more times within a year"


def _without_effect(layers: Layers, swap: Swap, today: date) -> Iterator[str]:
    """Halves of coming swaps that change nobody's duty."""
    role, back = layers.role, swap.given_back
    taken = swap.day >= today and not _plainly_takes(layers, swap)
    given = back is not None and back >= today and not _plainly_gives(layers, swap, back)
    if not taken and not given:
        return
    others = tuple(other for other in role.swaps if other is not swap)
    without, one_way = replace(role, swaps=others), _with(role, swap, replace(swap, given_back=None))
    name, day = called(role)[swap.who], date_words(swap.day, today)
    if taken and _on_duty(without, swap.day) == _on_duty(one_way, swap.day):
        yield f"the swap of {day} has no effect: {name} changes nothing on that day"
    if given and back is not None and _on_duty(role, back) == _on_duty(one_way, back):
        yield f"the swap of {day} has no effect on {date_words(back, today)}: {name} has nothing to give back"


def _plainly_takes(layers: Layers, swap: Swap) -> bool:
    """Whether the swap, by the rota alone, replaces somebody or nobody. Most swaps are so, and cost no timeline."""
    if not layers.ordinary(swap.day, swap) or layers.terms.instead(swap.who, swap.day) != swap.who:
        return False
    there = [
        layers.terms.instead(shift.who, swap.day)
        for shift in layers.terms.shifts(swap.day)
        for start, end in swap_minutes(swap, layers.role)
        if shift.start < end and shift.end > start
    ]
    return any(who not in (swap.who, None) for who in there) or swap.who not in there


def _plainly_gives(layers: Layers, swap: Swap, back: date) -> bool:
    """Whether the rota alone shows a day really given back. Its person has hours on that day, and others take them."""
    if swap.back_start is not None or not layers.ordinary(back, swap):
        return False
    return swap.who in layers.rostered(back) and bool(takes_over(swap, layers.role, layers.terms))


def _with(role: Role, old: Swap, new: Swap) -> Role:
    return replace(role, swaps=tuple(new if swap is old else swap for swap in role.swaps))


def _on_duty(role: Role, day: date) -> list[tuple[datetime, tuple[str, ...]]]:
    """The people on duty on this day and night, with their starts. The reason does not matter."""
    spans = timeline(role, *day_range(role, day, day + timedelta(days=1)))
    changes: list[tuple[datetime, tuple[str, ...]]] = []
    for span in spans:
        if not changes or changes[-1][1] != span.on:
            changes.append((span.start, span.on))
    return changes


def _holidays_for_nobody(layers: Layers, today: date) -> Iterator[str]:
    """Days written by hand, still to come, that change nothing: on which nobody works, or that are no holidays."""
    role, names = layers.role, called(layers.role)
    rules = [(None, role.holidays), *((person.key, person.holidays) for person in role.partners)]
    for key, rule in rules:
        whose = f" of {names[key]}" if key else ""
        for day, name in rule.also if rule else ():
            if day >= today and not ({key} if key else set(layers.rostered(day))) & set(layers.rostered(day)):
                yield f"the holiday{whose} on {date_words(day, today)} ({name}) hits nobody: the rota has nobody there"
        for day in rule.never if rule else ():
            if rule and day >= today and holiday(replace(rule, never=()), day) is None:
                yield f"{date_words(day, today)} stands under `never`{whose}, but is no holiday in {rule.country}"


def _out_of_reach(role: Role) -> Iterator[str]:
    """An emergency contact that leads back to the role: when nobody is in, nobody reads it."""
    contact = role.emergency
    if (
        contact
        and not contact.phone
        and contact.email
        and canonical(contact.email) in (role.address, *role.aliases)
    ):
        yield f"the emergency contact {contact.name} can't be reached: {contact.email} is the role itself"


def _passed(role: Role, today: date) -> Iterator[str]:
    """Absences of the file that are over as ``today`` begins; while its last night runs, none is."""
    end, nights = datetime.combine(today, time.min), Nights(role)
    passed = [
        absence
        for absence in role.absences
        if absence.source == "file" and absence.end <= end and not _runs_on(nights, absence, today)
    ]
    for absence in passed[:_TOLD]:
        name = called(role)[absence.who]
        until = date_words(absence.last_day, today)
        if not absence.recurs and absence.until_day and nights.night(absence.last_day, absence.who):
            until = f"{until}, to the end of {night_words(absence.last_day)},"
        yield f"the absence of {name} until {until} has passed; it can be deleted"
    if len(passed) > _TOLD:
        yield f"{len(passed) - _TOLD} more absences have passed; they can be deleted"


def _runs_on(nights: Nights, absence: Absence, today: date) -> bool:
    """Whether an absence that ended with a day covers its night."""
    if not nights.any or absence.recurs or absence.last_day < today - 2 * timedelta(days=1):
        return False
    return nights.bounds(absence)[1] > day_start(today, nights.zone(absence.who))
