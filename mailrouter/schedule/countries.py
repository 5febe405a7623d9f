"""Countries by time zone, and the holidays of their parts. Pure.

The table of zones is that of the tz database, as the package ``tzdata`` brings it (``zone.tab``); it is read once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from importlib import resources
from types import MappingProxyType

from mailrouter.schedule.holidays import known_country, public_holidays

_MOST_NAMED = 8
"""Parts of a country that are named one by one, with what they are called."""


def country_of(zone: str) -> str:
    """The ISO 3166 code of the country of a zone's place (``Europe/Vienna``); ``""``: none or no holidays are known."""
    country = _countries().get(zone, "")
    return country if country and known_country(country) is None else ""


@lru_cache(maxsize=1)
def _countries() -> Mapping[str, str]:
    try:
        text = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8")
    except (OSError, ImportError, UnicodeDecodeError):
        return MappingProxyType({})  # a suggestion less
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return MappingProxyType({row[2]: row[0] for row in rows if len(row) > 2})


@lru_cache(maxsize=256)
def parts_of(country: str) -> str:
    """The subdivisions of a country with holidays of their own, for people: ``ENG (England), SCT (Scotland)``."""
    from holidays import country_holidays

    known = country_holidays(country)
    names: Mapping[str, list[str]] = known.get_subdivision_aliases()
    parts = list(known.subdivisions)
    if len(parts) > _MOST_NAMED:
        return f"{', '.join(parts[:_MOST_NAMED])} … ({len(parts)} in all)"
    return ", ".join(f"{part} ({names[part][0]})" if names.get(part) else part for part in parts)


@lru_cache(maxsize=256)
def days_of_parts(country: str, today: date) -> tuple[tuple[date, str], ...]:
    """Holidays within a year that only a country's parts have. Most of its parts have them.

    Empty where some part has no more than the whole, so that the country alone may be right: in the United States,
    but not in Great Britain, whose every nation has more.
    """
    from holidays import country_holidays

    end = today + timedelta(days=365)

    def days(part: str | None) -> dict[date, str]:
        found: dict[date, str] = {}
        for year in (today.year, end.year):
            found.update(public_holidays(country, part, year))
        return {day: name for day, name in found.items() if today <= day <= end}

    whole = days(None)
    count, names = Counter[date](), dict[date, str]()
    for part in country_holidays(country).subdivisions:
        more = {day: name for day, name in days(part).items() if day not in whole}
        if not more:
            return ()
        count.update(list(more))
        names.update(more)
    most = max(count.values(), default=0)
    return tuple((day, names[day]) for day in sorted(count) if 2 * count[day] > most)
