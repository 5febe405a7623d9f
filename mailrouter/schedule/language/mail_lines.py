"""The requesting lines of a mail, and the note in them. Greeting, closing words and name are left out. Pure.

Every expression here is linear: its repeats give nothing back, and it runs on text that was cut to ``MOST`` characters.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from mailrouter.message.text.courtesies import CLOSING, GREETING
from mailrouter.schedule.language.lexer import MOST, Unclear

NOTE_LENGTH = 200
MOST_SUBJECT = 200
"""Characters of a Subject that may be a request."""
_GREETING = re.compile(rf"{GREETING}\b[^.!?:;0-9]{{0,40}}+[.!:]?+\s*+\Z", re.I)
_CLOSING = re.compile(rf"{CLOSING}\b[^.!?:;0-9]{{0,30}}+[.!]?+\s*+\Z", re.I)
_CLOSES_BEFORE_NAME = re.compile(rf"\b{CLOSING}\Z", re.I)
_NOTE = re.compile(
    r"(?:(?<=[\s,;])|^)(?:because of|because|due to|note:|reason:)\s(?P<said>[^,.;()]++)|\((?P<aside>[^()]*+)\)",
    re.I,
)
_HEDGE = re.compile(r"\b(?:if|unless|maybe|perhaps|probably|might|or|not|depending|tbc|hopefully)\b|\?", re.I)
_DAY = (
    r"mon|tues?|wed|thu|thur|thurs|fri|sat|sun|(?:mon|tues|wednes|thurs|fri|satur|sun|to|yester|week)days?"
    r"|jan|january|feb|february|mar|march|apr|april|may|june?|july?|aug|august|sept?|september|oct|october|nov|november"
    r"|dec|december"
)
_MEANS_SOMETHING = re.compile(
    rf"\b(?:today|tomorrow|tonight|off|away|swap|cancel|undo|back|covers?|not|wait|instead|{_DAY})\b", re.I
)
_MORE_THAN_A_NOTE = re.compile(
    rf"\b(?:today|tomorrow|tonight|yesterday|noon|midnight|cancel|undo|back|wait|instead|except|only|but|until|till"
    rf"|mornings?|afternoons?|evenings?|nights?|weeks?|(?:all|half) day"
    rf"|cover|covers|covered|covering|swaps|swapped|swapping|switch|switches|switched|switching|traded|trading"
    rf"|works|worked|working|takes|taking|replaces|replacing|replaced|substitutes?|deputi[sz]es|stands? in|standing in"
    rf"|steps? in|stepping in|fills? in|filling in|jumps? in|(?:i|we|you|he|she|they|colleague) (?:work|take|do|am)"
    rf"|does my|do my|my shifts?|for me|{_DAY})\b|\d",
    re.I,
)
_IS_TOLD = re.compile(
    r" (?:already )?(?:knows|is informed|is aware|agrees|agreed)(?: already| of it| about it)?\Z", re.I
)
"""What may stand behind a partner's name in a note: that they were told."""
_PREFIXED = re.compile(
    r"(?:[^\w\[]*+\[[^\]]{0,40}+\])*+[\W_]*+(?P<word>[^\W\d_]+)[\[(^ ]{0,2}+[0-9]{0,3}+[\])]?+\s?+[:\uff1a]"
)
_OWN_WORDS = frozenset(
    [
        *(
            "off",
            "away",
            "absent",
            "out",
            "ooo",
            "sick",
            "ill",
            "unwell",
            "holiday",
            "holidays",
            "vacation",
            "leave",
        ),
        *("absence", "pto", "swap", "undo", "cancel", "back"),
    ]
)
"""What a request may begin with before a colon: ``off: Friday``."""
_LINES_BELOW = 10


def own_subject(subject: str) -> str:
    """The Subject as the writer's own request, ``""`` where it isn't one.

    ``Re:``, ``AW:``, ``FW:`` and their like in any language say that somebody else may have written it. There are too
    many of them to list, so a word with a colon in front of the rest is one unless a request begins with it.
    """
    subject = subject[: MOST_SUBJECT + 1].strip()
    if len(subject) > MOST_SUBJECT:
        return ""
    found = _PREFIXED.match(subject)
    return "" if found and found["word"].casefold() not in _OWN_WORDS else subject


def said_lines(text: str, subject: str, own: Collection[str], others: Collection[str] = ()) -> list[str]:
    """The requesting lines of a mail; where the text says nothing, the Subject counts if it is the writer's own.

    ``own`` are the names of whoever wrote, ``others`` the other partners', in small letters. Raises Unclear.
    """
    if len(text) > MOST:
        raise Unclear("It is longer than any change of the schedule.")
    lines = _without_frame(text, own, others)
    if not lines:
        lines = [own_subject(subject)]
    if not any(lines):
        raise Unclear("Nothing is written in it that asks for a change.")
    if len(lines) > 1 and _bare(lines[-1]) in own:
        del lines[-1]
    lines[-1] = _without_name(lines[-1], own)
    return lines


def _bare(line: str) -> str:
    return line.strip(" -–—,.").casefold()


def _without_frame(text: str, own: Collection[str], others: Collection[str]) -> list[str]:
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
            names = {_bare(named) for named in below}
            if names & set(others) and not names & set(own):
                raise Unclear(
                    f"It is signed by {next(named for named in below if _bare(named) in others)}, so it may not be "
                    "yours. Write in a mail of your own what is to change, with the name of whoever is away."
                )
            return lines[:number]
    return lines


def _without_name(line: str, own: Collection[str]) -> str:
    """``off today. Thanks, Laurie``: without the writer's name, where it is no part of the sentence."""
    end = line.rstrip(" .!")
    folded = end.casefold()
    for name in sorted(own, key=len, reverse=True):
        if name and len(folded) == len(end) and folded.endswith(name):
            before = end[: len(end) - len(name)]
            rest = before.rstrip(" ,!.-–—")
            if (closing := _CLOSES_BEFORE_NAME.search(rest[-40:])) is not None:
                left = rest[: len(rest) - len(closing[0])]
            elif any(mark in before[len(rest) :] for mark in ".!"):
                left = rest
            else:
                return line
            return left if left.strip() else line
    return line


def without_note(line: str, names: Collection[str] = ()) -> tuple[str, str]:
    """A line without its ``because …``, ``note: …`` or ``(…)``; and that. Raises Unclear for a note that may be more.

    ``names`` are all partners', in small letters: what is said of them in a note might be an instruction.
    """
    found = _NOTE.search(line)
    if found is None:
        return line, ""
    note = (found["said"] or found["aside"] or "").strip(" .()")
    if len(note) > NOTE_LENGTH:
        raise Unclear(f"The note is longer than {NOTE_LENGTH} characters.")
    if _HEDGE.search(note):
        raise Unclear(f'It depends on something: "{note}". Write it once it is certain.')
    if _MORE_THAN_A_NOTE.search(note) or _names_somebody(note, names):
        # "off Monday (morning only)", "off Friday because Laurie works for me": as a note, it would be kept and not done.
        if found["aside"]:
            raise Unclear(
                f'What stands in brackets is a note, and "{note}" looks like more. Write it without the brackets.'
            )
        raise Unclear(
            f'A reason is kept as a note, and "{note}" looks like more than one. '
            'Write what is to be done in words of its own, as in "off Monday, Elaine covers".'
        )
    return f"{line[: found.start()]} {line[found.end() :]}", note


def _names_somebody(note: str, names: Collection[str]) -> bool:
    """Whether a note names a partner, other than as told."""
    folded = note.casefold()
    for name in names:
        at = folded.find(name) if name else -1
        while at >= 0:
            end = at + len(name)
            word = not folded[at - 1 : at].isalnum() and not folded[end : end + 1].isalnum()
            if word and not (at == 0 and _IS_TOLD.fullmatch(folded[end:])):
                return True
            at = folded.find(name, end)
    return False
