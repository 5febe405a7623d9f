"""Public holidays, by the ``holidays`` library and by hand. Pure.

The library is imported where it is first needed: roles without public holidays don't pay its 60 ms.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from functools import lru_cache

from mailrouter.schedule.model import HolidayRule, Person, Role


@lru_cache(maxsize=512)
def public_holidays(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    """The public holidays of a year with their names.

    The names are English where the library has them so, else those of the country: they never depend on the
    language of the machine. Raises NotImplementedError for what ``known_country`` refuses.
    """
    from holidays import country_holidays

    spoken = country_holidays(country, subdiv=subdivision, years=year, expand=False)
    language = "en_US" if "en_US" in spoken.supported_languages else spoken.default_language
    named = country_holidays(country, subdiv=subdivision, years=year, expand=False, language=language)
    return {day: name for day, name in named.items() if day.year == year}


@lru_cache(maxsize=4096)
def holiday(rule: HolidayRule | None, day: date) -> str | None:
    """The holiday's name, or None on an ordinary day. Days written by hand come first."""
    if rule is None or not rule.country:
        return None
    for also, name in rule.also:
        if also == day:
            return name
    if day in rule.never:
        return None
    return public_holidays(rule.country, rule.subdivision, day.year).get(day)


def holiday_of(person: Person, role: Role, day: date) -> str | None:
    """The name of the holiday that ``person`` has on ``day``: by their own rule, else by the role's."""
    return holiday(person.holidays or role.holidays, day)


@lru_cache(maxsize=512)
def known_country(country: str, subdivision: str | None = None) -> str | None:
    """None where the holidays of this place are known; else what is wrong and what was probably meant."""
    codes = _codes()
    if country not in codes:
        return f"the holidays of country {country!r} are not known{_country_hint(country, sorted(codes))}"
    if subdivision is None:
        return None
    from holidays import country_holidays

    known = country_holidays(country)
    aliases: dict[str, list[str]] = known.get_subdivision_aliases()
    names = {name: code for code, written in aliases.items() for name in (code, *written)}
    names |= {code: code for code in known.subdivisions}
    if subdivision in names:
        return None
    if not names:
        return f"{country} has no subdivisions with holidays of their own; leave {subdivision!r} out"
    folded = {name.casefold(): code for name, code in names.items()}
    near = get_close_matches(subdivision.casefold(), folded, n=1, cutoff=0.7)
    hint = (
        f"did you mean {folded[near[0]]}?" if near else "known are " + ", ".join(sorted(set(names.values())))
    )
    return f"{country} has no subdivision {subdivision!r}; {hint}"


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    """The codes of all countries: by the registry, since list_supported_countries() imports each one's module (80 ms)."""
    from holidays.registry import COUNTRIES

    return frozenset(code for entity in COUNTRIES.values() for code in entity[1:] if len(code) <= 3)


def _country_hint(written: str, codes: list[str]) -> str:
    """``; did you mean DE?`` for a near miss, else where to look. Near are ``de``, ``Germany`` or ``germny``."""
    from holidays.registry import COUNTRIES

    folded = {code.casefold(): code for code in codes}
    for module, entity in COUNTRIES.items():
        folded.setdefault(module.replace("_", " "), entity[1])
    sought = written.strip().casefold().replace("_", " ")
    near = [sought] if sought in folded else []
    if not near and len(sought) > 3:  # two or three letters are close to dozens of codes
        near = get_close_matches(sought, folded, n=1, cutoff=0.75)
    return f"; did you mean {folded[near[0]]}?" if near else "; write its ISO 3166 code, such as US, DE or GB"
