"""A role's file edited in place: it says what was meant, and nothing else of it has moved."""

from __future__ import annotations

import difflib
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.config import text_edits
from mailrouter.config.folder import files_of
from mailrouter.config.loading import configuration_of
from mailrouter.config.text_edits import CannotEdit
from mailrouter.errors import ConfigurationError
from mailrouter.schedule.changes.edits import (
    AddAbsence,
    AddSwap,
    DropAbsence,
    DropSwap,
    Edit,
    EndAbsence,
    changed,
    same_schedule,
)
from mailrouter.schedule.model import FOREVER, Absence, Role, Swap
from tests.config.files import ROLE

EXAMPLE = Path(__file__).parents[2] / "config" / "roles" / "vp-hr.yaml"
SKIING = Absence("elaine", datetime(2026, 12, 21), datetime(2027, 1, 2), "skiing", "laurie")
DENTIST = Absence(
    "laurie", datetime(2026, 12, 8, 13), datetime(2026, 12, 8, 15), from_day=False, until_day=False
)
SWAP = Swap("laurie", date(2026, 12, 3), date(2026, 12, 8))

# Ways in which people write one and the same two absences and a swap.
FORMS = {
    "lines": """\
absences:   # who is away
  # the first
  - {partner: elaine, from: 2026-12-21, until: 2027-01-01, note: skiing, cover: laurie}   # the first's

  # the second
  - {partner: laurie, from: 2026-12-08 13:00, until: 2026-12-08 15:00}
  # below
swaps:
- {date: 2026-12-03, partner: laurie, for: 2026-12-08} # a swap
""",
    "blocks": """\
absences:
- partner: Elaine       # in capitals
  # between
  from: 2026-12-21
  until: "2027-01-01"   # quoted
  note: 'skiing'
  cover: laurie

-
  partner: laurie
  from: 2026-12-08 13:00
  until: 2026-12-08 15:00
# behind
swaps:
    - date: 2026-12-03
      partner: laurie
      for: 2026-12-08
""",
    "brackets": """\
absences: [{partner: elaine, from: 2026-12-21, until: 2027-01-01, note: skiing, cover: laurie}, # one
           {partner: laurie, from: 2026-12-08 13:00, until: 2026-12-08 15:00}]  # two
swaps: [{date: 2026-12-03, partner: laurie, for: 2026-12-08}]
# the end
""",
}


def loaded(data: bytes) -> Role:
    """The role that the loader makes of a text."""
    files = files_of("", "vp-hr", data.decode("utf-8-sig"))
    (role,) = configuration_of(Path(), files, lambda: "mx.example.test").roles
    return role


def edited(data: bytes, edits: list[Edit]) -> bytes:
    """With these edits; what a text says that can't be loaded is nothing."""
    try:
        role = loaded(data)
    except ConfigurationError:
        role = loaded(ROLE.encode())
    return text_edits.edited(data, edits, role)


def difference(before: bytes, after: bytes) -> list[str]:
    """The lines that went and came."""
    lines = difflib.unified_diff(before.decode().splitlines(), after.decode().splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def test_the_shipped_example_grows_by_a_line() -> None:
    """Behind the last entry, in its column; the comments stay."""
    data = EXAMPLE.read_bytes()
    new = Absence("laurie", datetime(2026, 12, 4, 12), datetime(2026, 12, 5), "NO: #1", "elaine", False)
    assert difference(data, edited(data, [AddAbsence(new)])) == [
        '+  - {partner: laurie, from: 2026-12-04 12:00, until: 2026-12-04, note: "NO: #1", cover: elaine}'
    ]
    assert difference(data, edited(data, [AddSwap(Swap("elaine", date(2026, 12, 9), None, 720, 1020))])) == [
        "+  - {date: 2026-12-09, partner: elaine, hours: 12:00-17:00}"
    ]
    assert difference(data, edited(data, [EndAbsence(SKIING, datetime(2026, 12, 24))])) == [
        "-  - {partner: elaine, from: 2026-12-21, until: 2027-01-01, note: skiing, cover: laurie}",
        "+  - {partner: elaine, from: 2026-12-21, until: 2026-12-23, note: skiing, cover: laurie}",
    ]
    assert len(difference(data, edited(data, [DropAbsence(SKIING)]))) == 1


@pytest.mark.parametrize(
    "rest", ["", "absences:\n", "absences:   # nobody\nnote: always\n", "absences: []\n"]
)
@pytest.mark.parametrize("last", ["", "# the end", "emergency: {name: Duty, phone: +1 650 555 0100}"])
def test_a_first_entry_finds_its_place(rest: str, last: str) -> None:
    """Where the list is missing, empty, or the file has no line end at its end."""
    data = (ROLE + rest + last).encode()
    after = edited(data, [AddAbsence(SKIING)])
    assert loaded(after).absences == (SKIING,)
    assert (
        edited(after, [DropAbsence(SKIING)]).decode().splitlines()[: len(ROLE.splitlines())]
        == ROLE.splitlines()
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("breaks", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize(
    "edits",
    [
        [DropAbsence(SKIING)],
        [DropAbsence(DENTIST)],
        [DropAbsence(SKIING), DropAbsence(DENTIST), DropSwap(SWAP)],
        [EndAbsence(SKIING, datetime(2026, 12, 24, 13))],
        [EndAbsence(DENTIST, datetime(2026, 12, 8, 14))],
        [
            AddAbsence(Absence("laurie", datetime(2027, 3, 1), datetime(2027, 3, 2))),
            DropSwap(SWAP),
            AddSwap(SWAP),
        ],
    ],
    ids=str,
)
def test_every_form_takes_every_edit(form: str, breaks: str, bom: str, edits: list[Edit]) -> None:
    """The loader reads what was meant; line ends, byte order mark and comments stay."""
    text = bom + (ROLE + FORMS[form] + "# Ünïcode 🎿 last").replace("\n", breaks)
    data = text.encode()
    role = loaded(data)
    after = edited(data, edits)
    assert same_schedule(loaded(after), changed(role, edits))
    new = after.decode()
    assert new.startswith(bom + ROLE.replace("\n", breaks))
    assert new.replace("\r\n", "").count("\n") == (0 if breaks == "\r\n" else new.count("\n"))
    for comment in ("# the first\r", "# the second\r", "# below\r", "# behind\r", "# Ünïcode 🎿 last"):
        comment = comment.replace("\r", breaks)
        assert (comment in new) == (comment in text), comment


REFUSED = {
    "an alias": "x: &skiing\n  - {partner: elaine, from: 2026-12-21, until: 2027-01-01}\nabsences: *skiing\n",
    "a mapping": "absences: {partner: elaine}\n",
    "a word": "absences: none\n",
    "another document": "{role: x}\n",
    "no yaml": "role: [\n",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_odd_forms_are_refused(text: str) -> None:
    """Rather than guessed at."""
    with pytest.raises(CannotEdit):
        edited(text.encode(), [AddAbsence(SKIING)])


def test_an_entry_that_is_not_there_is_refused() -> None:
    """Nothing else goes in its place."""
    with pytest.raises(CannotEdit):
        edited((ROLE + FORMS["lines"]).encode(), [DropAbsence(Absence("laurie", SKIING.start, SKIING.end))])


WRITTEN = """absences:
  - {partner: elaine, from: 2026-11-23, until: further notice, note: "a bad back"}   # the first
  - {partner: laurie, date: 2026-12-08, hours: 13:00-15:00}
  - partner: elaine
    date: 2026-12-10
    note: the dentist
  - {partner: laurie, every: first friday}
  - {partner: laurie, date: 2026-12-10}
  - {partner: laurie, date: 2026-12-10, note: twice}
swaps:
  - {date: 2026-12-14, partner: elaine, hours: 09:00-12:00}
  - {date: 2026-12-14, partner: elaine, hours: 13:00-17:00, for: 2026-12-17 09:00-13:00}
"""


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("how", [DropAbsence, EndAbsence])
def test_absences_in_every_way_of_writing_them(number: int, how: type) -> None:
    """A day, a part of a day, until further notice, and of two that are alike the very one that is meant."""
    data = (ROLE + WRITTEN).encode()
    role = loaded(data)
    absence = role.absences[number]
    if how is DropAbsence:
        edit: Edit = DropAbsence(absence)
    elif absence.every is not None:
        return
    else:
        edit = EndAbsence(absence, absence.start + timedelta(hours=1))
    after = edited(data, [edit])
    assert same_schedule(loaded(after), changed(role, [edit]))
    assert b"# the first" in after or (number, how) == (0, DropAbsence)


@pytest.mark.parametrize("number", range(2))
def test_swaps_in_every_way_of_writing_them(number: int) -> None:
    """Of two on one day it is the one that is meant; hours given back are written as well."""
    data = (ROLE + WRITTEN).encode()
    role = loaded(data)
    edits: list[Edit] = [DropSwap(role.swaps[number]), AddSwap(role.swaps[number])]
    assert same_schedule(loaded(edited(data, edits)), changed(role, edits))


def test_until_further_notice_is_written_so() -> None:
    """And ended by the day of being back."""
    data = ROLE.encode()
    ill = Absence("elaine", datetime(2026, 12, 3), FOREVER)
    after = edited(data, [AddAbsence(ill)])
    assert b"{partner: elaine, from: 2026-12-03, until: further notice}" in after
    ended = edited(after, [EndAbsence(ill, datetime(2026, 12, 7))])
    assert b"{partner: elaine, from: 2026-12-03, until: 2026-12-06}" in ended


WALLS = st.builds(
    lambda day, quarter: (
        datetime.combine(date(2026, 12, 1) + timedelta(days=day), time.min) + timedelta(minutes=15 * quarter)
    ),
    st.integers(0, 60),
    st.sampled_from([0, 0, 0, 37, 52]),
)
NOTES = st.sampled_from(
    ["", "skiing", "no: #1", "on", "[x]", "{y}", "it's", 'a "b"', "ünï", "- x", "12:30", "&a"]
)
ABSENCES = st.builds(
    lambda who, start, length, note, covered: Absence(
        who, start, start + length, note, ("elaine" if who == "laurie" else "laurie") if covered else None
    ),
    st.sampled_from(["laurie", "elaine"]),
    WALLS,
    st.sampled_from([timedelta(days=1), timedelta(days=9), timedelta(hours=3)]),
    NOTES,
    st.booleans(),
)
SWAPS = st.builds(
    lambda who, day, back: Swap(who, day.date(), back.date() if back and back.date() != day.date() else None),
    st.sampled_from(["laurie", "elaine"]),
    WALLS,
    st.none() | WALLS,
)


@given(st.data(), st.sampled_from([*FORMS.values(), "", "absences:\nswaps:\n"]), st.integers(1, 6))
def test_any_edits_one_after_the_other(data: st.DataObject, form: str, number: int) -> None:
    """The text and the facts always agree, and what stands around them is as it was."""
    text = (ROLE + form + "note: always\n# the end\n").encode()
    role = loaded(text)
    for _ in range(number):
        choices: list[st.SearchStrategy[Edit]] = [st.builds(AddAbsence, ABSENCES), st.builds(AddSwap, SWAPS)]
        if role.absences:
            choices.append(st.builds(DropAbsence, st.sampled_from(role.absences)))
            ended = st.sampled_from(role.absences)
            choices.append(ended.map(lambda a: EndAbsence(a, a.start + timedelta(hours=1))))
        if role.swaps:
            choices.append(st.builds(DropSwap, st.sampled_from(role.swaps)))
        edit = data.draw(st.one_of(choices))
        text = edited(text, [edit])
        expected = changed(role, [edit])
        role = loaded(text)
        assert same_schedule(role, expected)
        assert text.startswith(ROLE.encode())
        assert text.count(b"note: always\n# the end\n") == 1
