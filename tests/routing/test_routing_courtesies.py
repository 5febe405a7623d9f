"""Greetings and closings of mails that hand over, as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.routing.partner.greetings import without_courtesies

NAMES = ("Laurie Cremona", "Laurie")
ITEMS = "Done:\n- the budget\n\nLeft:\n- call Jim"


@pytest.mark.parametrize(
    "above",
    [
        "Hello,\n\n",
        "Hi Elaine,\n",
        "Dear Elaine\n\n",
        "Hallo zusammen,\n\n",
        "Good day\n\n",
        "Morning!\n",
        "",
    ],
)
@pytest.mark.parametrize(
    "below",
    [
        "\n\nBest regards\nLaurie",
        "\n\nThanks!\n\nLaurie Cremona\n+1 650 555 0101",
        "\n\nViele Grüße,\nLaurie",
        "\n\nThx\nLaurie",
        "\n\nBest wishes\n\nLaurie",
        "\n\nLaurie",
        "",
    ],
)
def test_greeting_and_closing_are_no_items(above: str, below: str) -> None:
    """What is left is the handoff, word for word."""
    assert without_courtesies(above + ITEMS + below, NAMES) == ITEMS


@pytest.mark.parametrize(
    "text",
    [
        "Left:\n- call Jim\n- thanks\n",
        "Left:\nCall Laurie",
        "Left:\n- ask\nLaurie",
        "Hello Kitty order: 300 pieces\nLeft:\n- send it",
        "Dear customer letters are done, all 300 of them.\nLeft: post them",
        "Done:\nThanks\nLeft:\n- the party",
        "Best\n- the first offer\n- the second",
        "Hello,",
        "Thanks\nLaurie",
        "",
    ],
)
def test_what_may_be_an_item_stays(text: str) -> None:
    """A line too many is read over; a line too few is missed."""
    assert without_courtesies(text, NAMES) == text.strip("\n") or without_courtesies(text, NAMES) == text


@given(st.text(alphabet="HieloBst ,\nLaurie-:x", max_size=80))
def test_any_text_keeps_its_middle(text: str) -> None:
    """What is left is a part of what was there, and never nothing where there was something."""
    left = without_courtesies(text, NAMES)
    assert left in text
    assert bool(left.strip()) == bool(text.strip())
