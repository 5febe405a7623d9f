"""Strings drawn from a pattern's own grammar, to be repeated: beginnings of a match, its letters, pairs of them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import combinations, product
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

GENERIC = "a0 \n-.\"'<>=@(:,;!#\té"
_MOST_LETTERS = 18
_MORE_WORDS = "x b c d e f g\x00"
"""What can't follow where any character may, but not so many words."""
_PAIRED = 5
_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    sre.CATEGORY_DIGIT: str.isdigit,
    sre.CATEGORY_NOT_DIGIT: lambda c: not c.isdigit(),
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_NOT_SPACE: lambda c: not c.isspace(),
    sre.CATEGORY_WORD: lambda c: c.isalnum() or c == "_",
    sre.CATEGORY_NOT_WORD: lambda c: not (c.isalnum() or c == "_"),
}
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)

Make = Callable[[int], str]
"""A text of some length."""


def pumped(pump: str, before: str, after: str, size: int) -> str:
    """``before``, ``pump`` again and again, ``after``: ``size`` characters in all, or a few more."""
    return before + pump * max((size - len(before) - len(after)) // len(pump), 1) + after


def inputs(pattern: re.Pattern[Any], draws: int = 11, seed: int = 7) -> Iterator[tuple[str, Make]]:
    """Each with a name that tells how it is made."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    tree = list(parser.parse(source, pattern.flags & ~re.DEBUG if isinstance(pattern.pattern, str) else 0))
    letters = _letters(tree)
    chance = random.Random(seed)
    pumps: dict[tuple[str, str, str], None] = {}
    for letter in letters:
        pumps[letter, "", ""] = None
        pumps[letter, "", "\x00"] = None
    for two in combinations(letters[:_PAIRED], 2):
        pumps["".join(two), "", "\x00"] = None
    for _ in range(draws):
        begun = _drawn(tree[: chance.randint(1, len(tree))] if tree else [], letters, chance)
        inner = begun[chance.randint(0, len(begun)) :][: chance.randint(1, 12)]
        letter = chance.choice(letters)
        if begun:
            pumps[begun, "", ""] = None
            pumps[begun + letter, "", "\x00"] = None
            pumps[letter, begun, "\x00"] = None
        if inner:
            pumps[inner, begun, "\x00"] = None
            pumps[chance.choice(letters), begun + "a", _MORE_WORDS] = None
    for before, pump, after in _around_repeats(tree, letters, chance):
        pumps[pump, before, after] = None
    for pump, before, after in pumps:
        name = f"{before[-30:]!r} + {pump[:40]!r} * n + {after!r}"
        yield name, partial(pumped, pump, before, after)


def _around_repeats(
    tree: list[Any], letters: list[str], chance: random.Random
) -> Iterator[tuple[str, str, str]]:
    """Up to each repeated piece, then that piece again and again, then what can't follow."""
    for path in _repeats(tree):
        before = _drawn(path[:-1], letters, chance)
        body = path[-1][1][2]
        for _ in range(2):
            pump = _drawn(list(body), letters, chance)
            if pump:
                yield before, pump, "\x00"
                yield before, pump, _MORE_WORDS
                yield "", before + pump, "\x00"
        for letter in _fitting(list(body), letters):
            yield before, letter, _MORE_WORDS


def _fitting(body: list[Any], letters: list[str]) -> list[str]:
    """A few letters that the pattern names elsewhere, and that a repeat of one character takes, too."""
    if len(body) != 1:
        return []
    kind, value = body[0]
    if kind is sre.IN:
        negated = bool(value) and value[0][0] is sre.NEGATE
        letters = [c for c in letters if any(_holds(c, item) for item in value) != negated]
    elif kind is sre.NOT_LITERAL:
        letters = [c for c in letters if ord(c) != value]
    elif kind is not sre.ANY:
        return []
    return letters[:4]


def _repeats(tree: list[Any]) -> Iterator[list[Any]]:
    """For each repeat that has no small bound, the nodes that lead to it, and itself."""
    for index, (kind, value) in enumerate(tree):
        before = tree[:index]
        if kind in _REPEATS:
            if value[1] > 8:
                yield [*before, (kind, value)]
            for inner in _repeats(list(value[2])):
                yield [*before, *inner]
        else:
            for child in _children(kind, value):
                for inner in _repeats(child):
                    yield [*before, *inner]


def _children(kind: Any, value: Any) -> list[list[Any]]:
    if kind is sre.SUBPATTERN:
        return [list(value[-1])]
    if kind is sre.BRANCH:
        return [list(branch) for branch in value[1]]
    if kind is sre.ATOMIC_GROUP:
        return [list(value)]
    if kind in (sre.ASSERT, sre.ASSERT_NOT):
        return [list(value[1])]
    if kind in _REPEATS:
        return [list(value[2])]
    return []


def _letters(tree: list[Any]) -> list[str]:
    """The characters that the pattern names, and a few that stand for all others."""
    found: dict[str, int] = {}

    def look(nodes: Iterable[Any]) -> None:
        for kind, value in nodes:
            if kind in (sre.LITERAL, sre.NOT_LITERAL):
                found[chr(value)] = found.get(chr(value), 0) + 1
            elif kind is sre.IN:
                for inner, what in value:
                    if inner is sre.LITERAL:
                        found[chr(what)] = found.get(chr(what), 0) + 2
                    elif inner is sre.RANGE:
                        found[chr(what[0])] = found.get(chr(what[0]), 0) + 1
            for child in _children(kind, value):
                look(child)

    look(tree)
    special = sorted((c for c in found if not c.isalnum()), key=lambda c: -found[c])
    plain = sorted((c for c in found if c.isalnum()), key=lambda c: -found[c])[:4]
    return list(dict.fromkeys([*special[:10], *plain, *GENERIC]))[:_MOST_LETTERS]


def _drawn(nodes: list[Any], letters: list[str], chance: random.Random) -> str:
    return "".join(_of(kind, value, letters, chance) for kind, value in nodes)


def _of(kind: Any, value: Any, letters: list[str], chance: random.Random) -> str:
    if kind is sre.LITERAL:
        return chr(value)
    if kind is sre.NOT_LITERAL:
        return chance.choice([c for c in letters if ord(c) != value])
    if kind is sre.ANY:
        return chance.choice([c for c in letters if c != "\n"])
    if kind is sre.IN:
        return _of_class(value, letters, chance)
    if kind is sre.BRANCH:
        return _drawn(list(chance.choice(value[1])), letters, chance)
    if kind in _REPEATS:
        least, most, body = value
        count = min(int(most), max(int(least), chance.choice((0, 1, 1, 2, 3))))
        return "".join(_drawn(list(body), letters, chance) for _ in range(min(count, 80)))
    if kind in (sre.SUBPATTERN, sre.ATOMIC_GROUP):
        return _drawn(_children(kind, value)[0], letters, chance)
    return ""


def _of_class(items: list[Any], letters: list[str], chance: random.Random) -> str:
    negated = bool(items) and items[0][0] is sre.NEGATE
    fitting = [c for c in letters if any(_holds(c, item) for item in items) != negated]
    if fitting:
        return chance.choice(fitting)
    for kind, what in items:
        if kind is sre.LITERAL:
            return chr(what)
        if kind is sre.RANGE:
            return chr(chance.randint(what[0], what[1]))
    return "~"


def _holds(character: str, item: tuple[Any, Any]) -> bool:
    kind, what = item
    if kind is sre.LITERAL:
        return bool(ord(character) == what)
    if kind is sre.RANGE:
        return bool(what[0] <= ord(character) <= what[1])
    return bool(kind is sre.CATEGORY and _CATEGORIES[what](character))


def mixed(tokens: Iterable[str], most: int) -> Iterator[tuple[str, Make]]:
    """Each token again and again, then pairs of them, then pairs with a token before."""
    tokens = list(dict.fromkeys(tokens))
    chance = random.Random(11)
    pairs = [a + b for a, b in product(tokens, repeat=2) if a != b]
    chance.shuffle(pairs)
    for pump in [*tokens, *pairs[:most]]:
        yield f"{pump[:50]!r} * n", partial(pumped, pump, "", "")
