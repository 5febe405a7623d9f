"""No compiled pattern of the product does more than linear work, on strings drawn from its own grammar."""

from __future__ import annotations

import re

import pytest

from tests.bounded import drawing, growth
from tests.bounded.patterns import Found, all_patterns, applied

KILO = 1024
CUT = {
    "mailrouter.cli.setup.init_answers:_PARTNER": 200,
    "mailrouter.message.text.sanitise:": 4_000,
    "mailrouter.message.dsn.wording:": 8 * KILO,
    "mailrouter.routing.partner.greetings:": 120,
    "mailrouter.routing.partner.pointers:": 200,
    "mailrouter.routing.partner.quoted_text:_FOOTER": 400,
}
"""Patterns that see text cut to so many characters: they are measured there, and only their time counts."""

AT_ONE_PLACE = ("mailrouter.message.provenance.auth_results:", "mailrouter.config.values.times:")
"""Patterns of readers that try them at one place of the text, and end where none fits."""

NOT_YET: frozenset[str] = frozenset()
"""Patterns that are known to be slow; each still has to be found slow, and leaves this list when it is mended."""


def slow_input(found: Found) -> str:
    """The first input that shows a fault, with what is wrong; ``""``: none of those that were drawn."""
    if found.name.startswith(AT_ONE_PLACE):
        found = found._replace(methods=frozenset({"match"}))
    work = applied(found)
    cut = next((most for name, most in CUT.items() if found.name.startswith(name)), 0)
    for name, make in drawing.inputs(found.pattern):
        if cut:
            if growth.at_most(work, make(cut)):
                continue
            return f"{name} takes too long at {cut} characters"
        if growth.suspicious(work, make) and (fault := growth.measure(work, make, 6 * growth.MOST).fault):
            return f"{name} {fault}"
    return ""


@pytest.mark.parametrize(
    "room", ["message", "smtp", "store", "delivery", "trust", "calendars", "web", "intake", ""]
)
def test_patterns_are_linear(room: str) -> None:
    """Those of one room, and at last those of all the others."""
    rooms = ("message", "smtp", "store", "delivery", "trust", "calendars", "web", "intake")
    slow = {}
    for found in all_patterns():
        its = found.name.split(":")[0].split(".")[1]
        if its == room or (not room and its not in rooms):
            fault = slow_input(found)
            if fault and found.name not in NOT_YET:
                slow[found.name] = fault
            assert fault or found.name not in NOT_YET, f"{found.name} is linear now: take it out of NOT_YET"
    assert slow == {}


@pytest.mark.parametrize(
    ("source", "method"),
    [
        (r".*(?:schrieb|wrote).*:$", "search"),
        (r"(?:hi|hello)[ \w!]*[ \w!,]*\Z", "match"),
        (r"(a+)+b", "match"),
        (r"\([^()]*\)(?:\s*\([^()]*\)\s*)*x", "search"),
        (r"x[^>]*>", "finditer"),
        (r"[.!]\s*[-–]*\s*(?:laurie)\s*\Z", "search"),
    ],
)
def test_what_is_not_linear_is_found(source: str, method: str) -> None:
    """Of each kind of fault that there was, one by itself."""
    assert slow_input(Found("example:_X", re.compile(source), frozenset({method})))


def test_what_is_linear_passes() -> None:
    """Where no search can begin inside what another one has read, or whose parts can't overlap."""
    for source in (r"\([^()]*+\)", r"(?<!a)a++b", r'"[^"\\]*+"|[a-z]++', r",\s*+"):
        assert not slow_input(Found("example:_X", re.compile(source), frozenset({"sub"}))), source


def test_all_patterns_are_seen() -> None:
    """In namespaces, in tuples and in tables."""
    names = {found.name for found in all_patterns()}
    assert len(names) > 120
    assert names >= NOT_YET
    assert {"mailrouter.message.mime:_PARAMETER", "mailrouter.message.dsn.wording:_MEANING"} <= names
