"""Caches whose keys come from outside."""

from __future__ import annotations

import pytest

from mailrouter.caching import LONGEST_KEY, cached_by_short, cached_by_text, is_short


@pytest.mark.parametrize(
    ("key", "short"),
    [
        ("", True),
        ("a" * LONGEST_KEY, True),
        ("a" * (LONGEST_KEY + 1), False),
        (b"a" * LONGEST_KEY, True),
        (b"a" * 60_000, False),
        ("ü" * 80, True),
        ("ü" * LONGEST_KEY, False),
    ],
)
def test_only_short_keys_are_kept(key: str | bytes, short: bool) -> None:
    """A long key is worked out each time; the answer is the same."""
    for decorate in (cached_by_short(4, is_short), cached_by_text(4)):
        asked: list[object] = []

        def work(text: str | bytes, asked: list[object] = asked) -> int:
            asked.append(text)
            return len(text)

        cached = decorate(work)
        assert cached(key) == cached(key) == len(key)
        assert len(asked) == (1 if short else 2)
