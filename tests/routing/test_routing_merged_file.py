"""A role's file that was edited while the file itself changed."""

from __future__ import annotations

import pytest

from mailrouter.errors import MailrouterError
from mailrouter.routing.partner.file.edited import version_mark
from mailrouter.routing.partner.file.merged import (
    PastChange,
    merged,
    taken_back,
    text_of_version,
    with_version,
    without_version,
)

ROTA = "role: a\nrota:\n  monday: laurie\n  tuesday: laurie\n  friday: elaine\n"
COMMON = f"{ROTA}absences:\n  - {{partner: a, date: 1}}\n# end\n"
ADDED = COMMON.replace("# end", "  - {partner: b, date: 2}\n# end")
EDITED = COMMON.replace("tuesday: laurie", "tuesday: elaine")


def test_a_file_says_its_version_and_loses_it_again() -> None:
    """Whatever is edited in it."""
    mark = version_mark(COMMON.encode())
    assert without_version(with_version(COMMON, mark)) == (COMMON, mark)
    assert without_version(with_version(COMMON, mark).replace("tuesday: laurie", "tuesday: elaine")) == (
        EDITED,
        mark,
    )
    assert without_version(COMMON) == (COMMON, "")


def test_changes_of_different_places_are_both_there() -> None:
    """In whichever order they were made."""
    both = EDITED.replace("# end", "  - {partner: b, date: 2}\n# end")
    assert merged(COMMON, EDITED, ADDED) == merged(COMMON, ADDED, EDITED) == both
    assert merged(COMMON, EDITED, EDITED) == EDITED


def test_two_entries_added_to_a_list_are_both_there() -> None:
    """The one that stands there already comes first."""
    other = COMMON.replace("# end", "  - {partner: c, date: 3}\n# end")
    text = merged(COMMON, other, ADDED)
    assert "  - {partner: b, date: 2}\n  - {partner: c, date: 3}\n" in text


@pytest.mark.parametrize("other", ["tuesday: dana", "tuesday: laurie\n  thursday: dana"])
def test_what_both_have_changed_is_shown_and_left_alone(other: str) -> None:
    """The same line, or one that touches it."""
    with pytest.raises(MailrouterError, match="tuesday: elaine"):
        merged(COMMON, EDITED, COMMON.replace("tuesday: laurie", other))


def test_thousands_of_differing_lines_are_not_compared() -> None:
    """It could take long."""
    with pytest.raises(MailrouterError, match="too many lines"):
        merged("".join(f"{n}\n" for n in range(9_000)), "x\n" * 9_000, COMMON)


def test_a_version_is_found_among_the_texts_that_are_kept() -> None:
    """Before a change or after it."""
    past = [PastChange("x", "Elaine Miller", COMMON.encode(), ADDED.encode())]
    assert text_of_version(version_mark(COMMON.encode()), past) == COMMON.encode()
    assert text_of_version("0" * 20, past) is None


def test_a_file_without_a_version_that_takes_back_the_others_change_is_known() -> None:
    """Not one's own, and not where the file has it."""
    past = [PastChange("x", "Elaine Miller", COMMON.encode(), ADDED.encode())]
    assert taken_back(ADDED, EDITED, past, "Laurie Cremona") == past[0]
    assert taken_back(ADDED, EDITED, past, "Elaine Miller") is None
    assert (
        taken_back(ADDED, ADDED.replace("tuesday: laurie", "tuesday: elaine"), past, "Laurie Cremona") is None
    )
    dropped = [PastChange("x", "Elaine Miller", ADDED.encode(), COMMON.encode())]
    assert taken_back(COMMON, ADDED, dropped, "Laurie Cremona") == dropped[0]
