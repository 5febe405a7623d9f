"""libical's table of recurrences: how many come out the same here, and why the others do not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from mailrouter.calendars.absence_rule import Rule
from mailrouter.calendars.occurrences import absences_in
from tests.calendars.ics import calendar
from tests.calendars.suites import NEEDED, RECURRENCES

EXPECTED = {
    "agrees": 86,
    "recurs more often than daily: refused": 32,
    "BYWEEKNO without BYDAY: the whole week here, one day of it there": 13,
    "DTSTART is not by the rule: an occurrence here, none there": 8,
    "BYSETPOS counts from DTSTART here, from the start of the week there": 2,
    "YEARLY with BYMONTHDAY alone: every month here, that of DTSTART there": 2,
    "BYWEEKNO with INTERVAL: years of the calendar here, of the week there": 2,
    "libical gives none: it has not got this": 1,
}


@dataclass(frozen=True)
class Case:
    """A rule, its start, and libical's occurrences (None: it refuses)."""

    rule: str
    start: str
    instances: tuple[datetime, ...] | None


def moment(text: str) -> datetime:
    """A date or a time, taken as UTC: the table knows no zones."""
    return datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d").replace(
        tzinfo=UTC
    )


def cases() -> Iterator[Case]:
    """The table."""
    for block in re.split(r"\n\s*\n", RECURRENCES.read_text()):
        said = dict(line.partition(":")[::2] for line in block.splitlines() if re.match("[A-Z-]+:", line))
        if "RRULE" in said:
            listed = said["INSTANCES"].strip()
            instances = None if listed.startswith("*") else tuple(map(moment, listed.split(",")))
            yield Case(said["RRULE"].strip(), said["DTSTART"].strip(), instances)


def ours(case: Case) -> tuple[list[datetime], list[str]]:
    """When the occurrences are here, up to the last of libical's; and what was left out."""
    start = moment(case.start)
    end = max(case.instances or (start,)) + timedelta(seconds=1)
    length = timedelta(seconds=1) if "T" in case.start else timedelta(days=1)
    event = f"DTSTART:{case.start}\nRRULE:{case.rule}" + ("\nDURATION:PT1S" if "T" in case.start else "")
    read = absences_in(calendar(event), Rule(("busy",)), ZoneInfo("UTC"), start, end)
    starts = []
    for begin, until in read.busy:
        while begin < until:
            starts.append(begin)
            begin += length
    return starts, read.left_out


def verdict(case: Case) -> str:
    """Whether a case agrees; if not, why."""
    rule = dict(part.partition("=")[::2] for part in case.rule.split(";"))
    got, left_out = ours(case)
    if left_out:
        assert "more often than daily" in left_out[0], case
        return "recurs more often than daily: refused"
    if case.instances is None:
        return "libical gives none: it has not got this"
    if got == list(case.instances):
        return "agrees"
    if "BYWEEKNO" in rule and "BYDAY" not in rule:
        return "BYWEEKNO without BYDAY: the whole week here, one day of it there"
    if got[0] == moment(case.start) != case.instances[0]:
        assert got[1 : len(case.instances) + 1] == list(case.instances), case
        return "DTSTART is not by the rule: an occurrence here, none there"
    if "BYSETPOS" in rule:
        return "BYSETPOS counts from DTSTART here, from the start of the week there"
    if rule["FREQ"] == "YEARLY" and "BYMONTHDAY" in rule and "BYMONTH" not in rule:
        return "YEARLY with BYMONTHDAY alone: every month here, that of DTSTART there"
    if "BYWEEKNO" in rule and "INTERVAL" in rule:
        return "BYWEEKNO with INTERVAL: years of the calendar here, of the week there"
    return f"unexplained: {case}"


@NEEDED
def test_recurrences_are_those_of_libical_or_it_is_known_why_not() -> None:
    """The counts are pinned: a library that expands otherwise than before is seen."""
    found = Counter(map(verdict, cases()))
    for words, count in found.most_common():
        print(f"{count:4} {words}")
    assert dict(found) == EXPECTED
    assert sum(EXPECTED.values()) == 146
