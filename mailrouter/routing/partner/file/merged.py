"""A role's file that was edited while the file itself changed: put together from three texts, or refused. Pure.

A file that is sent out carries its version in a comment line. What comes back is compared with the text of that version:
what was changed there is made in the file as it is now, and what both have changed is shown and left alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from mailrouter.errors import MailrouterError
from mailrouter.routing.partner.file.edited import version_mark

_VERSION = re.compile(r"^# mailrouter: version ([0-9a-f]{20})\b[^\n]*+\n?+", re.M)
_MOST_LINES = 500
"""Lines that differ from the first to the last change; comparing more could take long."""
_MOST_SHOWN = 6
_LONGEST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class PastChange:
    """A change that holds: what it did, by whom (a partner's name, ``""`` for a command), and the texts around it."""

    what: str
    author: str
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class _Piece:
    """``lines`` in place of the common text from ``start`` to before ``end``."""

    start: int
    end: int
    lines: tuple[str, ...]


def with_version(text: str, version: str) -> str:
    """The text with its version in a last line."""
    text = text if not text or text.endswith("\n") else text + "\n"
    return f"{text}# mailrouter: version {version} (please leave this line: it tells what you began with)\n"


def without_version(text: str) -> tuple[str, str]:
    """The text without that line, and the version; ``""`` where there is none."""
    found = _VERSION.search(text)
    return (_VERSION.sub("", text), found[1]) if found else (text, "")


def text_of_version(version: str, past: Iterable[PastChange]) -> bytes | None:
    """The file's text of that version, None where it's forgotten."""
    return next(
        (text for change in past for text in (change.after, change.before) if version_mark(text) == version),
        None,
    )


def merged(common: str, edited: str, current: str) -> str:
    """``current`` with what ``edited`` changes in ``common``. Raises MailrouterError with what both have changed."""
    base = common.splitlines(keepends=True)
    ours, theirs = _pieces(base, edited), _pieces(base, current)
    clashes = [(one, other) for one in ours for other in theirs if one != other and _clash(one, other)]
    if clashes:
        shown = [line for one, _ in clashes for line in (*one.lines, *base[one.start : one.end])]
        told = "; ".join(line.strip()[:_LONGEST_SHOWN] for line in dict.fromkeys(shown[:_MOST_SHOWN]))
        raise MailrouterError(
            "The file was changed since it was sent to you, in the same place as yours, so nothing of yours was taken. "
            f'It is about: {told}. Answer "send file" to get the newest one, and change that.'
        )
    lines, at = [], 0
    for piece in sorted({*ours, *theirs}, key=lambda piece: (piece.start, piece.end, piece not in theirs)):
        lines += [*base[at : piece.start], *piece.lines]
        at = max(at, piece.end)
    return "".join([*lines, *base[at:]])


def _pieces(base: Sequence[str], text: str) -> list[_Piece]:
    new = text.splitlines(keepends=True)
    first = next(
        (n for n, (a, b) in enumerate(zip(base, new, strict=False)) if a != b), min(len(base), len(new))
    )
    last = 0
    while last < min(len(base), len(new)) - first and base[-1 - last] == new[-1 - last]:
        last += 1
    olds, news = base[first : len(base) - last], new[first : len(new) - last]
    if max(len(olds), len(news)) > _MOST_LINES:
        raise MailrouterError(
            "The file was changed since it was sent to you, and yours differs in too many lines to put the two together. "
            'Answer "send file" to get the newest one.'
        )
    codes = SequenceMatcher(None, olds, news).get_opcodes()
    return [_Piece(a + first, b + first, tuple(news[c:d])) for tag, a, b, c, d in codes if tag != "equal"]


def _clash(one: _Piece, other: _Piece) -> bool:
    """Whether two changes overlap or touch. Entries that both add to the end of the same list do not."""
    if one.end < other.start or other.end < one.start:
        return False
    both_add = one.start == one.end == other.start == other.end
    return not (both_add and all(line.strip().startswith("- {") for line in (*one.lines, *other.lines)))


def taken_back(current: str, new: str, past: Iterable[PastChange], author: str) -> PastChange | None:
    """The newest change that ``new`` would undo, not by ``author``, or None."""
    now, then = Counter(_lines(current)), Counter(_lines(new))
    for change in past:
        before, after = (
            Counter(_lines(change.before.decode("utf-8", "replace"))),
            Counter(_lines(change.after.decode("utf-8", "replace"))),
        )
        lost = any(now[line] and then[line] < now[line] for line in after - before)
        again = any(then[line] > now[line] for line in before - after)
        if change.author != author and (lost or again):
            return change
    return None


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
