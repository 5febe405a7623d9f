"""``docs/schedule-by-mail.md``: what it says is understood is, and what it says is asked back is asked back."""

from __future__ import annotations

from datetime import datetime

import pytest

from mailrouter.schedule.language.lexer import Unclear
from mailrouter.schedule.language.requests import Back, Cancel, Off, Plain, Swapping, Works
from mailrouter.schedule.language.requests_parser import requests_in
from tests.schedule.roles import role_of
from tests.support.documents import marked

BLOCKS = marked("schedule-by-mail.md")
NOW = datetime(2026, 12, 3, 10)
MEANT: dict[str, type | tuple[type, ...]] = {
    "away": Off,
    "parts": Off,
    "swaps": (Swapping, Works),
    "back": (Back, Cancel, Plain),
}


@pytest.mark.parametrize(
    ("name", "line"), [(name, line) for name in MEANT for line in BLOCKS[name].splitlines()]
)
def test_each_line_is_understood(name: str, line: str) -> None:
    """As what its heading says."""
    (request,) = requests_in(line, "", role_of(), "laurie", NOW)
    assert isinstance(request, MEANT[name])


@pytest.mark.parametrize("line", BLOCKS["not"].splitlines())
def test_each_line_is_asked_back(line: str) -> None:
    """With a reason."""
    with pytest.raises(Unclear):
        requests_in(line, "", role_of(), "laurie", NOW)


def test_nothing_else_is_on_the_page() -> None:
    """All examples are tried."""
    assert set(BLOCKS) == {*MEANT, "not"}
