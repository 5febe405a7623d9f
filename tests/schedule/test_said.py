"""What partners write: understood to the last word, or not at all."""

from __future__ import annotations

import contextlib
import time
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.schedule.language.lexer import Unclear
from mailrouter.schedule.language.requests import Back, Cancel, Off, Plain, Request, Swapping, Works
from mailrouter.schedule.language.requests_parser import requests_in
from mailrouter.schedule.language.spans import spans_in
from tests.schedule.roles import role_of
from tests.support.pace import slowness

NOW = datetime(2026, 12, 3, 10)  # a Thursday
ROLE = role_of()
THREE = role_of("partners laurie elaine carmen")
FRIDAY, TUESDAY = date(2026, 12, 4), date(2026, 12, 8)


def off(who: str, when: str, cover: str | None = None, note: str = "") -> Off:
    """As the reader gives it."""
    return Off(who, spans_in(when, NOW), cover, note)


HOLIDAYS = off("laurie", "21 Dec to 1 Jan", "elaine")
UNDERSTOOD: dict[str, tuple[Request, ...]] = {
    "off today": (off("laurie", "today"),),
    "Off today.": (off("laurie", "today"),),
    "off: today": (off("laurie", "today"),),
    "I'm off tomorrow afternoon": (off("laurie", "tomorrow afternoon"),),
    "I’ll be away on Friday": (off("laurie", "Friday"),),
    "I am sick today": (off("laurie", "today"),),
    "taking Friday off": (off("laurie", "Friday"),),
    "tomorrow off": (off("laurie", "tomorrow"),),
    "On Friday I'm off": (off("laurie", "Friday"),),
    "Elaine is off today, I cover": (off("elaine", "today", "laurie"),),
    "Elaine's off today. I'll cover for her.": (off("elaine", "today", "laurie"),),
    "elaine miller will be away Friday": (off("elaine", "Friday"),),
    "off 21 Dec to 1 Jan, Elaine covers": (HOLIDAYS,),
    "off 21 Dec to 1 Jan\nElaine covers": (HOLIDAYS,),
    "off 21 Dec to 1 Jan, Elaine will cover": (HOLIDAYS,),
    "off 21 Dec to 1 Jan, covered by Elaine": (HOLIDAYS,),
    "I won't be in today": (off("laurie", "today"),),
    "I can’t come in today, sorry": (off("laurie", "today"),),
    "I'm not coming in tomorrow": (off("laurie", "tomorrow"),),
    "OOO tomorrow": (off("laurie", "tomorrow"),),
    "Holiday 21 Dec to 1 Jan, Elaine covers": (HOLIDAYS,),
    "off 21 Dec to 1 Jan - Elaine covers": (HOLIDAYS,),
    "off 21 Dec to 1 Jan with Elaine covering": (HOLIDAYS,),
    "off 21 Dec to 1 Jan, Elaine steps in for me": (HOLIDAYS,),
    "I need Friday off": (off("laurie", "Friday"),),
    "I need to take Friday off": (off("laurie", "Friday"),),
    "leaving at 3pm today": (off("laurie", "today from 15:00"),),
    "I'm in at 11:00 tomorrow": (off("laurie", "tomorrow until 11:00"),),
    "sick until further notice": (off("laurie", "until further notice"),),
    "Elaine is off from Monday until further notice": (off("elaine", "Monday until further notice"),),
    "off today. Elaine covers. Thanks, Laurie": (off("laurie", "today", "elaine"),),
    "off today due to illness": (off("laurie", "today", note="illness"),),
    "off today (dentist)": (off("laurie", "today", note="dentist"),),
    "off today because of the dentist, Elaine covers": (off("laurie", "today", "elaine", "the dentist"),),
    "off today, nobody covers": (off("laurie", "today"),),
    "off today\noff Monday": (off("laurie", "today"), off("laurie", "Monday")),
    "Hi,\n\noff tomorrow\n\nThanks,\nLaurie\nVP Human Resources\n+1 650 555 0101": (
        off("laurie", "tomorrow"),
    ),
    "Hallo Elaine,\n\noff tomorrow\n\nViele Grüße\nLaurie": (off("laurie", "tomorrow"),),
    "Bonjour,\noff today. Merci, Laurie": (off("laurie", "today"),),
    "off tomorrow\nLaurie": (off("laurie", "tomorrow"),),
    "off tomorrow please": (off("laurie", "tomorrow"),),
    "off from 14:00 to 16:00 on Monday": (off("laurie", "Monday 14:00 to 16:00"),),
    "off Tuesday at 2:00 - 2:30 pm": (off("laurie", "Tuesday 14:00 to 14:30"),),
    "off Tuesday 11:30-12:30pm": (off("laurie", "Tuesday 11:30 to 12:30"),),
    "off from 2 to 4 on Tuesday": (off("laurie", "Tuesday 14:00 to 16:00"),),
    "off today 3-5": (off("laurie", "today 15:00 to 17:00"),),
    "off 9 to 5 on Tuesday": (off("laurie", "Tuesday 09:00 to 17:00"),),
    "swap Friday with Elaine": (Swapping("laurie", "elaine", FRIDAY),),
    "switch Friday with Elaine": (Swapping("laurie", "elaine", FRIDAY),),
    "swap Friday with Tuesday": (Swapping("laurie", "elaine", FRIDAY, TUESDAY),),
    "swap Friday afternoon with Elaine": (Swapping("laurie", "elaine", FRIDAY, None, (720, 1020)),),
    "swap Friday from 13:00 to 15:00 with Elaine's Tuesday morning": (
        Swapping("laurie", "elaine", FRIDAY, TUESDAY, (780, 900), (540, 720)),
    ),
    "I take Elaine's Friday": (Works("laurie", FRIDAY, None, None, "elaine"),),
    "I'll take Elaine's Friday, Elaine takes my Tuesday": (
        Works("laurie", FRIDAY, None, None, "elaine"),
        Works("elaine", TUESDAY, None, None, "laurie"),
    ),
    "Elaine works on Tuesday instead of me": (Works("elaine", TUESDAY, None, None, "laurie"),),
    "cancel my holiday": (Cancel("laurie", (), "absence"),),
    "swap Friday for Tuesday": (Swapping("laurie", "elaine", FRIDAY, TUESDAY),),
    "swap Friday with Elaine's Tuesday": (Swapping("laurie", "elaine", FRIDAY, TUESDAY),),
    "I'd like to swap my Friday with Elaine for Tuesday": (Swapping("laurie", "elaine", FRIDAY, TUESDAY),),
    "Elaine and I swap Friday and Tuesday": (Swapping("elaine", "laurie", FRIDAY, TUESDAY),),
    "back today": (Back("laurie", NOW.date()),),
    "I'm back on Monday": (Back("laurie", date(2026, 12, 7)),),
    "Elaine is back at 14:00": (Back("elaine", NOW.date(), 840),),
    "cancel 21 Dec to 1 Jan": (Cancel("laurie", spans_in("21 Dec to 1 Jan", NOW)),),
    "cancel my absence on Friday": (Cancel("laurie", spans_in("Friday", NOW), "absence"),),
    "cancel Elaine's day off on Friday": (Cancel("elaine", spans_in("Friday", NOW), "absence"),),
    "cancel the swap Friday": (Cancel("laurie", spans_in("Friday", NOW), "swap"),),
    "undo": (Plain("undo"),),
    "Undo that, please!": (Plain("undo"),),
    "send file": (Plain("send file"),),
    "who is in": (Plain("week"),),
    "help": (Plain("help"),),
}
NOT_UNDERSTOOD = {
    "maybe off today": '"maybe off today" is not understood',
    "I am not off today": "not understood",
    "off today?": "not understood",
    "off today or tomorrow": "not understood",
    "off today if Elaine can cover": "not understood",
    "off today (unless it rains)": "depends on something",
    "off today unless it rains": "not understood",
    "the weather is nice": "not understood",
    "off": "When? Write",
    "I'm ill, Elaine covers": "When? Write",
    "off Monday (Elaine covers)": "looks like more",
    "off Monday (morning only)": "looks like more",
    "off today (back on Friday)": "looks like more",
    "half day Friday": "Which half?",
    "off 3-5 on Saturday": "meant by 3 to 5",
    "leaving at 7:00 tomorrow": "meant by 7:00",
    "off Monday 7-9": "Which day is meant",
    "leaving at 08:00": "has passed",
    "off Friday because Laurie works for me": "looks like more than one",
    "off Friday because I work Thursday": "looks like more than one",
    "off Friday\nThanks,\nElaine": "signed by Elaine",
    "off toady": 'did you mean "today"?',
    "of today": 'did you mean "off"?',
    "off every Friday": "comes round",
    "off on Mondays": "comes round",
    "off today, kids are ill": "A note for the two of you stands in brackets",
    "leaving early today": "Write the time",
    "I take Friday": "What about these days?",
    "swap Friday afternoon for Tuesday": "Which part of the day in return?",
    "I take my Friday": "A swap needs somebody else",
    "off 03/04": "3 April or 4 March",
    "off today, I cover": "can't cover for themselves",
    "Elaine covers": "Who is away is missing",
    "swap Friday with Laurie": "A swap needs somebody else",
    "swap Friday for Friday": "the same",
    "off today\nBest,\nLaurie\nPS: not today after all": "below the closing words",
    "off today\nand the budget is with finance": "not understood",
    "off today and undo": "a mail of its own",
    "off today\nundo": "a mail of its own",
    "cancel": "Which days?",
    "back": "From when?",
    "Carmen is off today": "not understood",
    "": "Nothing is written",
    "x" * 5000: "longer than any change",
}


@pytest.mark.parametrize(("text", "meant"), UNDERSTOOD.items())
def test_what_is_understood(text: str, meant: tuple[Request, ...]) -> None:
    """By Laurie, on Thursday 3 December at ten."""
    assert requests_in(text, "", ROLE, "laurie", NOW) == meant


@pytest.mark.parametrize(("text", "why"), NOT_UNDERSTOOD.items(), ids=lambda text: text[:30])
def test_what_is_not(text: str, why: str) -> None:
    """With the reason; and then nothing at all is done."""
    with pytest.raises(Unclear) as caught:
        requests_in(text, "", ROLE, "laurie", NOW)
    assert why in caught.value.why


def test_the_subject_counts_where_nothing_else_is_written() -> None:
    """And only there."""
    assert requests_in("", "off today", ROLE, "laurie", NOW) == (off("laurie", "today"),)
    with pytest.raises(Unclear, match="Nothing is written"):
        requests_in("", "Re: off today", ROLE, "laurie", NOW)
    assert requests_in("undo", "Re: off today", ROLE, "laurie", NOW) == (Plain("undo"),)
    with pytest.raises(Unclear):
        requests_in("I have the flu.", "off today", ROLE, "laurie", NOW)


def test_of_three_partners_a_swap_names_one() -> None:
    """Of two it need not."""
    with pytest.raises(Unclear, match="With whom"):
        requests_in("swap Friday", "", THREE, "laurie", NOW)
    assert requests_in("swap Friday with Carmen", "", THREE, "laurie", NOW) == (
        Swapping("laurie", "carmen", FRIDAY),
    )


_SAID = """
off away is not I Elaine Laurie covers cover today tomorrow Friday to until from 21 Dec 1 Jan , . ( ) swap with for
back cancel undo maybe if 14:00 03/04 because and the please ?
"""
WORDS = st.sampled_from(_SAID.split())


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_doubt_is_never_passed_over(text: str) -> None:
    """With a word of doubt or a question mark outside a note nothing is understood; what is understood is in the
    partners' names."""
    try:
        found = requests_in(text, "", ROLE, "laurie", NOW)
    except Unclear:
        return
    assert not {"not", "maybe", "if", "?", "03/04"} & set(text.split())
    assert all(getattr(request, "who", "laurie") in ("laurie", "elaine") for request in found)


@given(st.text(max_size=200))
def test_nothing_but_a_question_is_raised(text: str) -> None:
    """Whatever is written."""
    with contextlib.suppress(Unclear):
        assert requests_in(text, text, ROLE, "elaine", NOW)


@pytest.mark.parametrize(
    "piece",
    [
        "off ",
        "(",
        "because ",
        "21 ",
        "21-",
        "today and ",
        ", ",
        "'s ",
        "swap Friday with ",
        "hi\n",
        "thanks\n",
        "\n",
    ],
)
def test_a_hostile_text_takes_no_time(piece: str) -> None:
    """As long as a request may be, and a thousand times longer."""
    begun = time.process_time()
    for length in (3_900, 4_000_000):
        with contextlib.suppress(Unclear):
            requests_in((piece * (length // len(piece)))[:length], piece * 50, ROLE, "laurie", NOW)
    assert time.process_time() - begun < 1 * slowness()


@pytest.mark.parametrize(
    "text", ["off today.{}x", "off today. Thanks{}x", "({}", "because{}of", "hi a{} b c", "7{}x"]
)
@pytest.mark.parametrize("pad", [" ", "!", "(", "9", "\u00a0"])
def test_what_is_repeated_in_a_text_or_subject_takes_no_time(text: str, pad: str) -> None:
    """As long as either may be, and much longer."""
    begun = time.process_time()
    for length in (3_900, 60_000):
        for said, subject in ((text.format(pad * length), ""), ("", text.format(pad * length))):
            with contextlib.suppress(Unclear):
                requests_in(said, subject, ROLE, "laurie", NOW)
    assert time.process_time() - begun < 0.5 * slowness()
