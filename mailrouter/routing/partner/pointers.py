"""Lines of a mail that only point at what is attached: ``Hi Elaine, see attached``. Pure."""

from __future__ import annotations

import re

_POINTING = re.compile(
    r"\b(?:attach\w*+|enclosed|find|here(?:with)?|pfa|see|look|files?|documents?|sheet|pdf|notes|hand(?:off|over)|update"
    r"|anbei|angehängt|anhang|siehe|hier|übergabe|datei(?:en)?|ci|jointe?s?|pièces?|voir|voici|adjunt[oa]s?|archivo|ver"
    r"|bijlage|bijgevoegd|bijgaand|zie|overdracht)\b",
    re.I,
)
"""Words that point; a line of other little words (``all of it``) may be what is left to do."""
_MOST = 200
"""Characters of a line that may be nothing but a pointer."""
_NAME = 2
"""Words of a name below a line that points."""
_GREETED = re.compile(r"\s*+(?:hi|hello|hey|dear|hallo|liebe|lieber|bonjour|hola)\s++\w++(?=\s*+[,:!])", re.I)
_WORD = re.compile(r"[^\W\d_]++")
_SAYING_NOTHING = frozenset(
    [
        *(
            "a",
            "and",
            "are",
            "as",
            "at",
            "enclosed",
            "file",
            "files",
            "document",
            "documents",
            "find",
            "for",
            "from",
        ),
        *(
            "handoff",
            "handover",
            "here",
            "herewith",
            "hi",
            "hello",
            "i",
            "in",
            "is",
            "it",
            "its",
            "latest",
            "mail",
            "me",
        ),
        *(
            "my",
            "new",
            "newest",
            "notes",
            "of",
            "on",
            "pfa",
            "please",
            "pls",
            "s",
            "see",
            "sheet",
            "text",
            "thanks",
        ),
        *(
            "the",
            "them",
            "they",
            "this",
            "today",
            "two",
            "three",
            "update",
            "updated",
            "usual",
            "week",
            "with",
            "word",
        ),
        *(
            "you",
            "your",
            "attached",
            "attachment",
            "attachments",
            "attach",
            "pdf",
            "have",
            "look",
            "all",
            "everything",
        ),
        *(
            "anbei",
            "anhang",
            "angehängt",
            "im",
            "die",
            "der",
            "siehe",
            "übergabe",
            "datei",
            "dateien",
            "bitte",
            "hier",
        ),
        *(
            "ci",
            "joint",
            "jointe",
            "jointes",
            "pièce",
            "pièces",
            "voir",
            "voici",
            "la",
            "le",
            "les",
            "en",
            "adjunto",
        ),
        *(
            "adjunta",
            "adjuntos",
            "archivo",
            "ver",
            "bijlage",
            "bijgevoegd",
            "zie",
            "de",
            "bijgaand",
            "overdracht",
        ),
    ]
)
"""Words of which a line that only points is made."""


def without_pointers(text: str) -> str:
    """The text without lines that only point at something; what else stands in it is kept as it is.

    Beside such lines a word or two are the writer's name, and nothing is left.
    """
    lines = text.split("\n")
    if not any(points(line) and _POINTING.search(line) for line in lines):
        return text.strip("\n")
    left = [line for line in lines if not points(line)]
    said = "\n".join(left).strip("\n")
    return "" if len(left) < len(lines) and len(said.split()) <= _NAME else said


def points(line: str) -> bool:
    """Whether a line only says that something is attached or here."""
    if not 0 < len(line.strip()) <= _MOST:
        return False
    words = _WORD.findall(_GREETED.sub("", line).casefold())
    return (
        bool(words) and not any(c.isdigit() for c in line) and all(word in _SAYING_NOTHING for word in words)
    )
