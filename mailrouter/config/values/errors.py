"""The error of an unreadable value, and guesses at its meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice

_WORD = re.compile(r"\S++")
_LOGIN = re.compile(
    r"(?:smtp|submission|lmtp|postgres|https?|webcal)[a-z+]{0,20}+:/{0,2}+[^\s:/@]{0,320}+:", re.IGNORECASE
)
"""What stands before a password; behind it, as far as the word's last @, is the password."""

_SECRET_PATH = re.compile(r"""((?:https?|webcals?)://[^\s/,}"']++/)([^\s,}"']{16,}+)""", re.IGNORECASE)
"""A calendar's address: who knows it reads the calendar."""


_LONGEST = 2_000
"""Characters of a text that are looked at to show it; what is shown of it has some hundred."""
MOST_GUESSES = 60
"""Guesses at what was meant, for one file: each compares with many words, and more problems aren't told anyway."""
_MOST_KNOWN = 1_000
_guesses_left: ContextVar[int | None] = ContextVar("guesses_left", default=None)


class Wrong(ValueError):
    """An unusable value, in words for the person who typed it.

    ``offset`` is the distance in characters from the value's first to the part that is wrong.
    """

    def __init__(self, what: str, hint: str = "", *, offset: int = 0) -> None:
        self.what, self.hint, self.offset = what, hint, offset
        super().__init__(what)

    def further(self, offset: int) -> Wrong:
        """The error at its place in a longer text. The value starts there at ``offset``."""
        return Wrong(self.what, self.hint, offset=self.offset + offset)


def shown(text: str, limit: int = 40) -> str:
    """``text`` as it may stand in a sentence on one line: shortened, control characters made visible."""
    plain = "".join(c if c.isprintable() else " " for c in masked(text[:_LONGEST]))
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def masked(text: str) -> str:
    """``text`` with its passwords and calendar addresses masked, 2,000 characters at most.

    Each of their characters becomes an asterisk.

    What is wrong with a line is shown, logged and mailed; so no such text may hold a secret.

    >>> masked("smtp://relay:s3cret@mail.example.com")
    'smtp://relay:******@mail.example.com'
    """
    text = text[:_LONGEST]
    if "@" in text:
        text = _WORD.sub(_without_password, text)
    return _SECRET_PATH.sub(lambda found: found[1] + "*" * len(found[2]), text)


def _without_password(word: re.Match[str]) -> str:
    text = word[0]
    login, end = _LOGIN.search(text), text.rfind("@")
    if login is None or end <= login.end():
        return text
    return text[: login.end()] + "*" * (end - login.end()) + text[end:]


def choice(words: Iterable[str]) -> str:
    """``words`` as a sentence has them.

    >>> choice(["never", "nobody", "always"])
    'never, nobody or always'
    """
    *head, last = words
    return f"{', '.join(head)} or {last}" if head else last


@contextmanager
def few_guesses() -> Iterator[None]:
    """Bound the number of guesses ``did_you_mean`` makes within a block."""
    before = _guesses_left.set(MOST_GUESSES)
    try:
        yield
    finally:
        _guesses_left.reset(before)


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """A question for the nearest of ``known``: ``did you mean `wednesday`?``. ``""`` when nothing is near."""
    import difflib

    if (left := _guesses_left.get()) is not None:
        if left <= 0:
            return ""
        _guesses_left.set(left - 1)
    by_fold = {word.casefold(): word for word in islice(known, _MOST_KNOWN)}
    sought = typed[:80].casefold()
    near = difflib.get_close_matches(sought, list(by_fold), n=3, cutoff=0.6)
    # People seldom mistype the first letter: munday is monday rather than sunday, and elaine isn't laurie.
    near.sort(key=lambda word: word[:1] != sought[:1])
    alike = difflib.SequenceMatcher(b=sought)
    for word in near:
        alike.set_seq1(word)
        if word[:1] == sought[:1] or alike.ratio() >= 0.75:
            return f"did you mean `{by_fold[word]}`?"
    return ""
