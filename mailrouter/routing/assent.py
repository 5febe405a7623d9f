"""Whether an answer to one of our questions says yes, in words of its own. Pure.

A mailbox answers by itself as well: somebody is away, a ticket was opened. Most such answers say that a program sent
them (RFC 3834 §5), some do not, and they quote what they answer. So a confirmation has to say what nobody writes into
such an answer: a line of its own, the first that was written, that is "yes" and little else.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from mailrouter.message.head import Head
from mailrouter.routing.handoff_mail import Written
from mailrouter.routing.tails import attributes

_YES_WORDS = "yes yep yeah ok okay confirm confirmed ja jawohl oui si sí sim"
_BESIDE_WORDS = (
    "i do did it it's it’s is this that that's that’s was mine me my from by please thanks thank you"
    " ich das war ist es von mir bin bitte danke c'est c’est bien moi de merci"
    " soy yo mío sono io eu gracias grazie obrigado obrigada"
)
"""What people put beside it: "Yes, that was me", "I confirm it, thanks", "Ja, das ist von mir"."""
_YES = frozenset(_YES_WORDS.split())
_BESIDE = frozenset(_BESIDE_WORDS.split())
_CONFIRMING = (["i", "confirm"], ["je", "confirme"], ["ich", "bestätige"])
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_MOST_WORDS = 8
_LONGEST = 200
"""Characters of a line, or a Subject, that says yes; a longer one isn't looked at."""


def says_yes(head: Head, body: Written | None, names: Collection[str] = ()) -> bool:
    """Whether the answer confirms; ``names`` may stand beside the yes. ``body`` is the text of the mail
    (``contents.Contents.body``), None where the mail is too large to be read.

    What counts is the first line that isn't quoted, or the first below the last quoted one; the Subject where
    nothing is written.
    """
    if body is None:
        return False
    if body.problem:
        return body.empty and _is_yes(head.text("subject") or "", names)
    lines = body.text.split("\n")
    quoted = [index for index, line in enumerate(lines) if line.startswith(">")]
    if not quoted:
        return _first_is_yes(lines, names)
    above, below = lines[: quoted[0]], lines[quoted[-1] + 1 :]
    return _first_is_yes(above, names) or (not _written(above) and _first_is_yes(below, names))


def _written(lines: list[str]) -> bool:
    """Whether anything stands there but "On Monday, the role wrote:"."""
    filled = [line.strip() for line in lines if line.strip()]
    return bool(filled) and not attributes(" ".join(filled))


def _first_is_yes(lines: list[str], names: Collection[str]) -> bool:
    return _is_yes(next((line for line in lines if line.strip()), ""), names)


def _is_yes(line: str, names: Collection[str]) -> bool:
    if len(line) > _LONGEST:
        return False
    words = _WORD.findall(line.casefold())
    if words[:2] in _CONFIRMING:
        words = ["confirm", *words[2:]]
    if not words or len(words) > _MOST_WORDS or words[0] not in _YES or "?" in line:
        return False
    known = {word for name in names for word in _WORD.findall(name.casefold())}
    return all(word in _YES or word in _BESIDE or word in known for word in words[1:])
