"""What a reader says when it can't make sense of a value, and how it guesses what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PASSWORD = re.compile(
    r"((?:smtp|submission|lmtp|postgres|https?|webcal)[a-z+]*:/{0,2}[^\s:/@]*:)(\S+)(?=@)", re.IGNORECASE
)

_SECRET_PATH = re.compile(r"""((?:https?|webcals?)://[^\s/,}"']+/)([^\s,}"']{16,})""", re.IGNORECASE)
"""A calendar's address: who knows it reads the calendar."""


class Wrong(ValueError):
    """A value that can't be used, in the words the person who typed it will read.

    ``offset`` is the distance in characters from the value's first to the part that is wrong.
    """

    def __init__(self, what: str, hint: str = "", *, offset: int = 0) -> None:
        self.what, self.hint, self.offset = what, hint, offset
        super().__init__(what)

    def further(self, offset: int) -> Wrong:
        """The same, seen from a longer text in which this value starts at ``offset``."""
        return Wrong(self.what, self.hint, offset=self.offset + offset)


def shown(text: str, limit: int = 40) -> str:
    """``text`` as it may stand in a sentence on one line: shortened, control characters made visible."""
    plain = "".join(c if c.isprintable() else " " for c in masked(text))
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def masked(text: str) -> str:
    """``text`` with an asterisk for each character of a password or of a calendar's address.

    What is wrong with a line is shown, logged and mailed; so no such text may hold a secret.

    >>> masked("smtp://relay:s3cret@mail.example.com")
    'smtp://relay:******@mail.example.com'
    """
    for secret in (_PASSWORD, _SECRET_PATH):
        text = secret.sub(lambda found: found[1] + "*" * len(found[2]), text)
    return text


def choice(words: Iterable[str]) -> str:
    """``words`` as a sentence has them.

    >>> choice(["never", "nobody", "always"])
    'never, nobody or always'
    """
    *head, last = words
    return f"{', '.join(head)} or {last}" if head else last


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """``did you mean `wednesday`?`` for the nearest of ``known``, or ``""`` when nothing is near."""
    import difflib

    by_fold = {word.casefold(): word for word in known}
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
