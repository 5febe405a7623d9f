"""The ways in which partners may write the same thing, and the facts they give."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from email_validator import validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter import config
from mailrouter.config.values.addresses import email, plain_address
from mailrouter.schedule.holidays import holiday
from mailrouter.schedule.model import Absence, Emergency, HolidayRule, Person, Role, Shift, Swap
from tests.config.files import ROLE, MakeFolder
from tests.support.examples import examples


@pytest.fixture
def role_with(folder: MakeFolder):  # type: ignore[no-untyped-def]
    """Loads the role with lines added at its end, or with its rota replaced."""

    def load(added: str = "", rota: str = "rota:\n  monday: laurie\n") -> Role:
        text = ROLE.replace("rota:\n  monday: laurie\n", rota) + added
        return config.load(folder("", vp_hr=text), fqdn=lambda: "mx.example.test").roles[0]

    return load


NINE_TO_FIVE = (540, 1020)
LAURIE, ELAINE = Shift("laurie", *NINE_TO_FIVE), Shift("elaine", *NINE_TO_FIVE)


@pytest.mark.parametrize(
    ("typed", "shifts"),
    [
        ("laurie", (LAURIE,)),
        ("Laurie", (LAURIE,)),
        ("[laurie, elaine]", (LAURIE, ELAINE)),
        ("both", (LAURIE, ELAINE)),
        ("all", (LAURIE, ELAINE)),
        ("[both 09:00-12:00]", (Shift("laurie", 540, 720), Shift("elaine", 540, 720))),
        ("\n    - laurie\n    - elaine", (LAURIE, ELAINE)),
        ("laurie 9:00-13:00", (Shift("laurie", 540, 780),)),
        ("laurie 09:00 – 13:00", (Shift("laurie", 540, 780),)),
        ("laurie   00:00-24:00", (Shift("laurie", 0, 1440),)),
        ("laurie 22:00-06:00", (Shift("laurie", 1320, 1800),)),
        ("laurie 22:00-00:00", (Shift("laurie", 1320, 1440),)),
        ("[laurie 09:00-13:00, elaine 12:00-17:00]", (Shift("laurie", 540, 780), Shift("elaine", 720, 1020))),
        ("nobody", ()),
        ("none", ()),
        ("~", ()),
        ("", ()),
        ("[]", ()),
    ],
)
def test_a_day_of_the_rota(role_with, typed: str, shifts: tuple[Shift, ...]) -> None:  # type: ignore[no-untyped-def]
    """Each way of writing a day gives the shifts that are meant, and the other days are nobody's."""
    (week,) = role_with(rota=f"rota:\n  tuesday: {typed}\n").rota.weeks
    assert week == ((), shifts, (), (), (), (), ())


def test_weekdays_may_be_short_and_capital(role_with) -> None:  # type: ignore[no-untyped-def]
    """Mon, MONDAY and monday are the same day, in alternate weeks too."""
    (week,) = role_with(rota="rota: {Mon: laurie, TUESDAY: elaine, sun: both}\n").rota.weeks
    assert week == ((LAURIE,), (ELAINE,), (), (), (), (), (LAURIE, ELAINE))
    rota = role_with(rota="rota: {starting: 2026-01-05, weeks: [{Mon: laurie}, {mon: elaine}]}\n").rota
    assert (rota.starting, [week[0] for week in rota.weeks]) == (date(2026, 1, 5), [(LAURIE,), (ELAINE,)])


def test_a_shift_without_hours_has_the_roles(role_with) -> None:  # type: ignore[no-untyped-def]
    """`hours` stands for every name without hours, also when it is written below the rota."""
    role = role_with("hours: 22:00-6:00\n")
    assert role.hours == (1320, 1800)
    assert role.rota.weeks[0][0] == (Shift("laurie", 1320, 1800),)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (
            "{partner: ELAINE, from: 2026-12-21, until: 2026-12-21}",
            Absence("elaine", datetime(2026, 12, 21), datetime(2026, 12, 22)),
        ),
        (
            "{partner: elaine, from: 2026-12-21 13:00, until: 2026-12-22 24:00, note: 'NO'}",
            Absence(
                "elaine",
                datetime(2026, 12, 21, 13),
                datetime(2026, 12, 23),
                "NO",
                from_day=False,
                until_day=False,
            ),
        ),
        (
            "{partner: elaine, from: 2026-12-21, until: 2026-12-22T09:30, cover: laurie}",
            Absence(
                "elaine", datetime(2026, 12, 21), datetime(2026, 12, 22, 9, 30), "", "laurie", True, False
            ),
        ),
        (
            "{partner: elaine, from: 2026-12-21, until: 2026-12-22, cover: {name: Jo, email: Jo@x.test}}",
            Absence(
                "elaine",
                datetime(2026, 12, 21),
                datetime(2026, 12, 23),
                cover=Person("jo@x.test", "Jo", "jo@x.test"),
            ),
        ),
    ],
)
def test_an_absence(role_with, typed: str, expected: Absence) -> None:  # type: ignore[no-untyped-def]
    """Dates are whole days, moments are exclusive at the end, a stand-in is a person."""
    assert role_with(f"absences:\n  - {typed}\n").absences == (expected,)


def test_a_swap_of_hours(role_with) -> None:  # type: ignore[no-untyped-def]
    """A swap has its own hours, or none for the role's."""
    role = role_with("swaps: [{date: 2026-12-03, partner: laurie, hours: 12:00-17:00}]\n")
    assert role.swaps == (Swap("laurie", date(2026, 12, 3), None, 720, 1020),)


def test_one_word_stands_for_both_sides(role_with) -> None:  # type: ignore[no-untyped-def]
    """auto_reply, copy and handoff take a word alone."""
    role = role_with("auto_reply: absence\ncopy: hidden\nhandoff: never\n")
    assert (role.reply_inside, role.reply_outside) == ("absence", "absence")
    assert (role.copy_inside, role.copy_outside, role.handoff) == ("hidden", "hidden", "never")


def test_values_stay_as_they_were_typed(role_with) -> None:  # type: ignore[no-untyped-def]
    """YAML 1.1's traps (NO, on, +1 650, 12:30, 010) are text, and Norway is a country."""
    role = role_with(
        "holidays: {country: NO}\n"
        "emergency: {name: on, phone: +1 650 555}\n"
        "absences: [{partner: elaine, from: 2026-01-02, until: 2026-01-03, note: 12:30}]\n"
    )
    assert role.holidays == HolidayRule("NO")
    assert role.emergency == Emergency("on", "+1 650 555")
    assert role.absences[0].note == "12:30"


def test_no_holidays_on_purpose(role_with) -> None:  # type: ignore[no-untyped-def]
    """`none` is kept, so that `check` doesn't ask; at a partner it takes the place of the role's."""
    role = role_with("holidays: none\n")
    assert role.holidays == HolidayRule("")
    assert not holiday(role.holidays, date(2026, 12, 25))


def test_holidays_by_hand(role_with) -> None:  # type: ignore[no-untyped-def]
    """Days are added with a name or without, and taken out."""
    role = role_with("holidays: {country: DE, also: {2026-12-24: Heiligabend}, never: 2026-10-03}\n")
    assert role.holidays == HolidayRule(
        "DE", None, ((date(2026, 12, 24), "Heiligabend"),), (date(2026, 10, 3),)
    )
    role = role_with("holidays: {country: DE, also: [2026-12-24]}\n")
    assert role.holidays.also == ((date(2026, 12, 24), "a day off"),)


def test_a_key_without_a_value_is_a_key_not_written(role_with) -> None:  # type: ignore[no-untyped-def]
    """Somebody who deletes the last absence and leaves `absences:` has no absences."""
    assert role_with("absences:\nswaps: ~\nhours:\nnote:\n") == role_with()


def test_an_intranets_domain_is_accepted_where_it_is_listed(folder: MakeFolder) -> None:
    """A dotless domain is fine once IT says it is theirs; so are mailboxes in letters beyond ASCII."""
    text = ROLE.replace("laurie@example.test", "laurie@intranet").replace("elaine@", "élaine@")
    role = config.load(folder("our_domains: [example.test, intranet]\n", vp_hr=text)).roles[0]
    assert [person.email for person in role.partners] == ["laurie@intranet", "élaine@example.test"]


def test_a_role_may_be_a_partner_of_another(folder: MakeFolder) -> None:
    """A role in a role is fine as long as it ends at people."""
    other = ROLE.replace("vp-hr@", "board@").replace("laurie@", "vp-hr@")
    assert len(config.load(folder("", vp_hr=ROLE, board=other), fqdn=lambda: "x.test").roles) == 2


@given(
    st.from_regex(r"[a-z0-9]{1,3}([._+-]{1,2}[a-z0-9]{1,3}){0,3}", fullmatch=True),
    st.from_regex(r"([a-z0-9]{1,3}(-{1,2}[a-z0-9]{1,3})?\.){1,3}[a-z0-9]{1,4}", fullmatch=True),
)
@settings(max_examples=examples(300))
def test_an_address_beyond_doubt_is_one_to_the_library_too(local: str, domain: str) -> None:
    """The short way to a yes says it of nothing that the long way refuses, and both give the same address."""
    address = f"{local}@{domain}"
    if plain_address(address):
        found = validate_email(
            address, check_deliverability=False, test_environment=True, globally_deliverable=False
        )
        assert f"{found.local_part}@{found.ascii_domain}".lower() == email(address)
