"""The first layer: who works when by the rota alone, in wall times. Pure."""

from __future__ import annotations

from datetime import date, timedelta

from mailrouter.schedule.model import Rota, Shift

_FIRST_MONDAY = date(1970, 1, 5)


def monday_of(day: date) -> date:
    """The Monday of the week that holds ``day``."""
    return day - timedelta(days=day.weekday())


def shifts_on(rota: Rota, day: date) -> tuple[Shift, ...]:
    """The shifts that begin on ``day``.

    Weeks count from the one that holds ``starting``, before it as well as after it. ISO week numbers would
    repeat a week after a year of 53.
    """
    if not rota.weeks:
        return ()
    if len(rota.weeks) == 1:
        return rota.weeks[0][day.weekday()]
    # Day 1 of the calendar was a Monday, so that whole sevens count weeks.
    weeks = (day.toordinal() - 1) // 7 - ((rota.starting or _FIRST_MONDAY).toordinal() - 1) // 7
    return rota.weeks[weeks % len(rota.weeks)][day.weekday()]
