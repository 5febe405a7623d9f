"""Which events are absences: a table of what the programs write, and what each rule makes of it."""

from __future__ import annotations

import pytest

from tests.calendars.ics import OOF, found

DAY = "DTSTART;VALUE=DATE:20261207\nDTEND;VALUE=DATE:20261208"
HOURS = "DTSTART:20261207T090000Z\nDTEND:20261207T100000Z"
MIDNIGHTS = "DTSTART;TZID=Europe/Berlin:20261207T000000\nDTEND;TZID=Europe/Berlin:20261208T000000"

# The event; then, by each of out-of-office, busy, all-day, category Urlaub, title Out of office, whether it is one.
TABLE = [
    (f"{DAY}\n{OOF}", "1 1 1 0 0"),
    (f"{HOURS}\n{OOF}\nTRANSP:OPAQUE", "1 1 0 0 0"),
    (f"{MIDNIGHTS}\n{OOF}\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE", "1 1 1 0 0"),
    (f"{HOURS}\nx-microsoft-cdo-busystatus:oof", "1 1 0 0 0"),
    (HOURS, "0 1 0 0 0"),
    (DAY, "0 1 1 0 0"),
    (f"{DAY}\nTRANSP:TRANSPARENT", "0 0 0 0 0"),
    (f"{DAY}\nX-MICROSOFT-CDO-BUSYSTATUS:FREE", "0 0 0 0 0"),
    (f"{DAY}\nX-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE", "0 0 0 0 0"),
    (f"{DAY}\nX-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE", "0 0 0 0 0"),
    (f"{DAY}\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY", "0 1 1 0 0"),
    (f"{DAY}\nSTATUS:TENTATIVE", "0 0 0 0 0"),
    (f"{DAY}\nSTATUS:CANCELLED\n{OOF}\nCATEGORIES:Urlaub", "0 0 0 0 0"),
    (f"{DAY}\nTRANSP:TRANSPARENT\nCATEGORIES:Privat,URLAUB", "0 0 0 1 0"),
    (f"{DAY}\nTRANSP:TRANSPARENT\nCATEGORIES;LANGUAGE=de:Urlaub\\, lang", "0 0 0 0 0"),
    (f"{HOURS}\nCATEGORIES:A\nCATEGORIES:Urlaub", "0 1 0 1 0"),
    (f"{HOURS}\nSUMMARY:Out of office\\, skiing", "0 1 0 0 1"),
    (f"{HOURS}\nSUMMARY;LANGUAGE=en:out of OFFICE", "0 1 0 0 1"),
    (f"{HOURS}\nSUMMARY:Not out of office", "0 1 0 0 0"),
    (f"{DAY}\n{OOF}\nUID:mailrouter-0123456789abcdef0123456789abcdef@example.test", "0 0 0 0 0"),
    (f'{DAY}\n{OOF}\nATTENDEE;CN="a:b";PARTSTAT=DECLINED:mailto:Elaine@example.test', "0 0 0 0 0"),
    (f"{DAY}\n{OOF}\nATTENDEE;PARTSTAT=DECLINED:mailto:laurie@example.test", "1 1 1 0 0"),
    (f"{DAY}\n{OOF}\nATTENDEE;PARTSTAT=ACCEPTED:mailto:elaine@example.test", "1 1 1 0 0"),
    ("DTSTART;VALUE=DATE:20261207\nDURATION:P2D", "0 1 1 0 0"),
]
RULES = ("out-of-office", "busy", "all-day", "category Urlaub", "title Out of office")


@pytest.mark.parametrize(("event", "absent"), TABLE)
def test_each_rule_takes_what_it_says(event: str, absent: str) -> None:
    """Each rule alone, for Elaine's calendar."""
    told = [found(event, rule=(rule,), email="elaine@example.test") for rule in RULES]
    assert [bool(each.busy) for each in told] == [word == "1" for word in absent.split()]
    assert not any(each.left_out for each in told)


def test_one_of_several_is_enough() -> None:
    """The rules of a calendar are added up."""
    assert found(HOURS, f"{DAY}\nTRANSP:TRANSPARENT\nCATEGORIES:Urlaub", rule=RULES[3:]).busy
    assert not found(f"{HOURS}\nTRANSP:TRANSPARENT", rule=RULES).busy


def test_what_is_no_absence_is_not_looked_into() -> None:
    """An event that the rule leaves out may be as broken as it is."""
    assert found("DTSTART:nonsense\nRRULE:FREQ=SECONDLY", rule=("out-of-office",)).left_out == []
