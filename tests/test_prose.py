"""The first line of a docstring says in few words what it stands on: by itself, before anything else is read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "mailrouter"
MOST_WORDS = 12
_SENTENCE = re.compile(r".+?\.(?=\s+[^\sa-z]|\Z)")
_CODE_OR_ASIDE = re.compile(r"``.*?``|`[^`]*`|\"[^\"]*\"|\([^()]*\)")
_WITHOUT_ITS_NOUN = re.compile(
    r"(?:It|Its|They|Them|Their|Those|These|This|That|He|She|There|The same|What|Who|Whom|Which|Where|When|Why|How)\b"
)
"""A pronoun whose noun stands elsewhere, or a clause in the place of a noun."""


def summary(docstring: str) -> str:
    """Its first sentence, up to a colon or semicolon behind which it is explained; ``""`` for one that has no end."""
    first = " ".join(docstring.split("\n\n")[0].split())
    sentence = _SENTENCE.match(first)
    if sentence is None:
        return ""
    plain = _CODE_OR_ASIDE.sub(lambda found: "x" * len(found[0]), sentence[0])
    sign = re.search(r"[:;] ", plain)
    return sentence[0][: sign.start()] if sign else sentence[0]


def words(text: str) -> int:
    """Those with a letter or a digit."""
    return sum(re.search(r"\w", word) is not None for word in text.split())


@cache
def docstrings() -> dict[str, str]:
    """All of the product's, by where they stand."""
    return dict(_docstrings())


def _docstrings() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node)
                if text:
                    yield f"{path.relative_to(PACKAGE)}:{node.body[0].lineno}", text


def test_a_docstring_begins_with_a_dozen_words_at_most() -> None:
    """A sentence with its full stop; what is behind a colon or a semicolon explains it."""
    found = {place: summary(text) for place, text in docstrings().items()}
    assert len(found) > 2500
    assert {place: said for place, said in found.items() if not 0 < words(said) <= MOST_WORDS} == {}


def test_a_docstring_names_its_subject() -> None:
    """It begins with a noun or a verb: with no pronoun, and with no clause in a noun's place."""
    assert {place: text for place, text in docstrings().items() if _WITHOUT_ITS_NOUN.match(text)} == {}


@pytest.mark.parametrize(
    ("docstring", "said"),
    [
        ("The cache of feeds. It is bounded.", "The cache of feeds."),
        ("The cache (RFC 5545: feeds): bounded, kept.", "The cache (RFC 5545: feeds)"),
        ("Keep ``a: b`` in\nthe cache; gives it.", "Keep ``a: b`` in the cache"),
        ("Version 0.1.0 of the cache.", "Version 0.1.0 of the cache."),
        ("The cache", ""),
    ],
)
def test_the_first_sentence_is_found(docstring: str, said: str) -> None:
    """Signs within brackets, code and numbers end nothing."""
    assert summary(docstring) == said
