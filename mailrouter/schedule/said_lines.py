"""The lines of a mail that ask for something, without greeting, closing words and name; and the note in them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

from mailrouter.schedule.said_words import Unclear

NOTE_LENGTH = 200
_GREETING = re.compile(
    r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day))\b[^.!?:;0-9]{0,40}[,.!:]?\s*\Z", re.I
)
_CLOSING_WORDS = (
    r"(?:many |with )?"
    r"(?:thanks|thank you|thx|cheers|best|best wishes|(?:kind |best |warm )?regards|yours|love|bye)"
)
_CLOSING = re.compile(rf"{_CLOSING_WORDS}\b[^.!?:;0-9]{{0,30}}[,.!]?\s*\Z", re.I)
_NOTE = re.compile(
    r"(?:[\s,;]|^)(?:because(?: of)?|due to|note:|reason:)\s+(?P<said>[^,.;()]+)|\((?P<aside>[^()]*)\)", re.I
)
_HEDGE = re.compile(r"\b(?:if|unless|maybe|perhaps|probably|might|or|not|depending|tbc|hopefully)\b|\?", re.I)
_DAY = (
    r"mon|tues?|wed|thu|thur|thurs|fri|sat|sun|\w+day|jan\w*|feb\w*|mar|march|apr\w*|june?|july?|aug\w*|sep\w*|oct\w*"
    r"|nov\w*|dec\w*"
)
_MEANS_SOMETHING = re.compile(
    rf"\b(?:today|tomorrow|tonight|off|away|swap|cancel|undo|back|covers?|not|wait|instead|{_DAY})\b", re.I
)
_MORE_THAN_A_NOTE = re.compile(
    rf"\b(?:today|tomorrow|tonight|cancel|undo|back|cover\w*|wait|instead|except|only|but|until|till|mornings?"
    rf"|afternoons?|{_DAY})\b|\d",
    re.I,
)
_LINES_BELOW = 10


def said_lines(text: str, subject: str, own: Collection[str]) -> list[str]:
    """What asks for something, line by line; where the text says nothing, the subject counts. ``own`` are the names of
    whoever wrote, in small letters. Raises Unclear."""
    lines = _without_frame(text)
    if not lines:
        lines = [re.sub(r"^(?:(?:re|aw|fwd?|wg)\s*:\s*)+", "", subject.strip(), flags=re.I)]
    if not any(lines):
        raise Unclear("Nothing is written in it.")
    if len(lines) > 1 and lines[-1].strip(" -–—,.").casefold() in own:
        del lines[-1]
    lines[-1] = _without_name(lines[-1], own)
    return lines


def _without_frame(text: str) -> list[str]:
    """The lines that say something: without a greeting above and a closing below."""
    lines = [line.strip() for line in text.split("\n")]
    lines = [line for line in lines if line]
    if lines and _GREETING.match(lines[0]) and not _MEANS_SOMETHING.search(lines[0].partition(" ")[2]):
        lines = lines[1:]
    for number, line in enumerate(lines):
        if number and _CLOSING.match(line):
            below = lines[number + 1 :]
            if len(below) > _LINES_BELOW or any(map(_MEANS_SOMETHING.search, below)):
                raise Unclear("There is more below the closing words; write only what is to change.")
            return lines[:number]
    return lines


def _without_name(line: str, own: Collection[str]) -> str:
    """``off today. Thanks, Laurie``: without the writer's name, where it is no part of the sentence."""
    names = "|".join(re.escape(name) for name in sorted(own, key=len, reverse=True))
    found = re.search(rf"(?:{_CLOSING_WORDS}\b[\s,!.]*|[.!]\s*[-–—]*\s*)(?:{names})\s*[.!]?\s*\Z", line, re.I)
    return line[: found.start()] if found and line[: found.start()].strip() else line


def without_note(line: str) -> tuple[str, str]:
    """A line without its ``because …``, ``note: …`` or ``(…)``; and that. Raises Unclear for a note that may be more."""
    found = _NOTE.search(line)
    if found is None:
        return line, ""
    note = (found["said"] or found["aside"] or "").strip(" .()")
    if _HEDGE.search(note):
        raise Unclear(f'It depends on something: "{note}". Write it once it is certain.')
    if found["aside"] and _MORE_THAN_A_NOTE.search(note):
        # "off Monday (morning only)", "off Monday (Elaine covers)": as a note, it would be said and not done.
        raise Unclear(
            f'What stands in brackets is a note, and "{note}" looks like more. Write it without the brackets.'
        )
    if len(note) > NOTE_LENGTH:
        raise Unclear(f"The note is longer than {NOTE_LENGTH} characters.")
    return f"{line[: found.start()]} {line[found.end() :]}", note
