"""The sections of a handoff's text: done, left, watch. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_TEXT = 200_000
"""Characters of a handoff: a summary, not an archive."""

_NAMES = {
    "done": (
        *("done", "finished", "completed", "what is done", "what was done", "what i did"),
        *("erledigt", "fertig", "gemacht"),
    ),
    "left": (
        *(
            "left",
            "to do",
            "todo",
            "todos",
            "open",
            "still open",
            "still to do",
            "what is left",
            "left to do",
        ),
        *("next", "next steps", "offen", "noch offen", "zu tun", "noch zu tun"),
    ),
    "watch": (
        *("watch", "watch out", "watch out for", "watch for", "keep an eye on", "risks", "careful"),
        *("achtung", "aufpassen", "im auge behalten", "zu beachten"),
    ),
}
_SECTION_OF = {name: section for section, names in _NAMES.items() for name in names}
# Each is tried at a line's beginning and never goes back over white space that it has read: a line costs its length.
_HEADING = re.compile(
    r"\s{0,3}+(?P<mark>\#{1,6}+\s*+|[*_]{2}+\s*+)?+"
    r"(?P<name>[^\W\d_](?:[^\W\d_]|['’ ]){1,38}[^\W\d_])"
    r"\s*+(?P<colon>[*_]{0,2}+\s*+:\s*+[*_]{0,2}+|[*_]{2}|\#*+)\s*+(?P<rest>.*+)\Z"
)
_UNDERLINE = re.compile(r"\s*+(?:-{3,}+|={3,}+|~{3,}+)\s*+\Z")
_MARK = re.compile(r"\A\s*+(?:[-*+•–·]|\d{1,3}+[.)])\s++(?:\[[ xX]\]\s++)?+")


@dataclass(frozen=True, slots=True)
class Sections:
    """A handoff as it was understood: lines of each part, without their list marks."""

    done: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


def read_sections(text: str) -> Sections:
    """Sort the lines of a handoff under done, left and watch; what stands before or outside is ``other``.

    A heading is a line such as ``Done``, ``Done:``, ``## Left``, ``**Watch**`` or ``Done: the budget``,
    whose rest is a line; any other Markdown heading ends the section. No line is lost but headings and
    rules.
    """
    found: dict[str, list[str]] = {"done": [], "left": [], "watch": [], "other": []}
    current = "other"
    for line in text.splitlines():
        if not line.strip() or _UNDERLINE.match(line):
            continue
        heading = _heading(line)
        if heading is not None:
            current, line = heading
        elif line.lstrip().startswith("#"):
            current, line = "other", line.strip().strip("#").strip()
        if line := _MARK.sub("", line, count=1).strip():
            found[current].append(line)
    return Sections(*(tuple(found[name]) for name in ("done", "left", "watch", "other")))


def _heading(line: str) -> tuple[str, str] | None:
    """The section that a line opens, and its rest, or None."""
    match = _HEADING.match(line)
    section = _SECTION_OF.get(" ".join(match["name"].lower().split())) if match else None
    if match is None or section is None:
        return None
    # "Done" alone or "Done: the budget" is a heading, "Open the window" is not.
    if match["rest"] and ":" not in match["colon"]:
        return None
    return section, match["rest"]
