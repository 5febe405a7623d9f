"""Lines in which two texts of a file differ, for small screens. Pure.

Every line that differs is a line of somebody's, so each stands behind a mark (``- `` before, ``+ `` now), cut, without
anything that can't be seen. Where the texts differ in more than absences and swaps, every line is shown; these are told
in words as well, so of them alone so many are shown as there is room for.

Lines are compared by those that stand once in both texts, and between these by the longest common part where that is
cheap: the work grows with the number of lines, whatever they are.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from mailrouter.message.text.showing import LINE, visible
from mailrouter.schedule.model import Role

_MOST = 40
"""Lines that are shown where only absences and swaps differ."""
_MOST_OF_ALL = 400
_CELLS = 20_000
"""Comparisons of two lines, at most: some 5 ms."""
_SECTION = re.compile(r"([a-z_]{1,30}+)\s*+:")
_ELSEWHERE = "elsewhere"

_Step = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class FileLines:
    """Differing ``lines`` to show, with headings, and ``more`` left. The headings are of sections.

    ``hidden``: among these may be some that nothing else tells of, more than a person would read before saying yes.
    """

    lines: tuple[str, ...]
    more: int = 0
    hidden: bool = False


NO_LINES = FileLines(())
"""Where words tell all."""


def file_lines(before: bytes, after: bytes, old_role: Role, new_role: Role) -> FileLines:
    """The differences, in the order of the file; the roles are what the texts say."""
    old, new = (text.decode("utf-8", "replace").lstrip("\ufeff").splitlines() for text in (before, after))
    steps = list(_steps(old, new))
    weighty = _beside_days_off(old_role) != _beside_days_off(new_role)
    shown: list[str] = []
    last = ""
    room = _MOST_OF_ALL if weighty else _MOST
    for mark, line, section in steps[:room]:
        if section != last:
            shown += [*([""] if shown else []), f"[{section}]"]
            last = section
        shown.append(f"{mark} {visible(line, LINE - 2) or '(an empty line)'}")
    more = len(steps[room:])
    return FileLines(tuple(shown), more, weighty and more > 0)


def _beside_days_off(role: Role) -> tuple[Role, set[str]]:
    """The differences not told in words: all but absences and swaps, and of these whom else the mail goes to."""
    return replace(role, absences=(), swaps=()), {person.email for person in role.people}


def _steps(old: Sequence[str], new: Sequence[str]) -> Iterator[_Step]:
    """Each changed line, with its mark and section."""
    of_old, of_new = _sections(old), _sections(new)
    for begin, end, first, last in _gaps(old, new):
        for place in range(begin, end):
            yield "-", old[place], of_old[place]
        for place in range(first, last):
            yield "+", new[place], of_new[place]


def _sections(lines: Sequence[str]) -> list[str]:
    """Each line's top-level key, ``elsewhere`` where it isn't shown."""
    found, section = [], _ELSEWHERE
    for line in lines:
        if match := _SECTION.match(line):
            section = match[1]
        elif line[:1] not in ("", " ", "#", "-") or line.startswith("---"):
            section = _ELSEWHERE
        found.append(section)
    return found


def _gaps(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """The ranges that differ, as ``old[begin:end]`` and ``new[first:last]``."""
    pairs = [(-1, -1), *_anchors(old, new), (len(old), len(new))]
    gaps = []
    cells = _CELLS
    for (a, b), (c, d) in pairwise(pairs):
        begin, end, first, last = a + 1, c, b + 1, d
        while begin < end and first < last and old[begin] == new[first]:
            begin, first = begin + 1, first + 1
        while begin < end and first < last and old[end - 1] == new[last - 1]:
            end, last = end - 1, last - 1
        size = (end - begin) * (last - first)
        if 0 < size <= cells:
            cells -= size
            gaps += _compared(old, new, begin, end, first, last)
        elif begin < end or first < last:
            gaps.append((begin, end, first, last))
    return gaps


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """The longest row of lines unique in both texts, in common order."""
    once = {line for line, times in Counter(old).items() if times == 1}
    at = {line: place for place, line in enumerate(old) if line in once}
    often = Counter(new)
    pairs = [(at[line], place) for place, line in enumerate(new) if line in at and often[line] == 1]
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, (place, _) in enumerate(pairs):
        length = bisect_left(tails, place)
        before.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [place]
        ends[length : length + 1] = [number]
    row: list[tuple[int, int]] = []
    number = ends[-1] if ends else -1
    while number >= 0:
        row.append(pairs[number])
        number = before[number]
    return row[::-1]


def _compared(
    old: Sequence[str], new: Sequence[str], begin: int, end: int, first: int, last: int
) -> list[tuple[int, int, int, int]]:
    """The ranges outside the longest common part of two ranges. Both are short."""
    wide = last - first + 1
    table = [[0] * wide for _ in range(end - begin + 1)]
    for i in range(end - begin - 1, -1, -1):
        row, below = table[i], table[i + 1]
        for j in range(wide - 2, -1, -1):
            same = old[begin + i] == new[first + j]
            row[j] = below[j + 1] + 1 if same else max(below[j], row[j + 1])
    gaps: list[tuple[int, int, int, int]] = []
    i = j = from_i = from_j = 0
    while i < end - begin and j < wide - 1:
        if old[begin + i] == new[first + j]:
            if i > from_i or j > from_j:
                gaps.append((begin + from_i, begin + i, first + from_j, first + j))
            i, j = i + 1, j + 1
            from_i, from_j = i, j
        elif table[i + 1][j] >= table[i][j + 1]:
            i += 1
        else:
            j += 1
    if from_i < end - begin or from_j < wide - 1:
        gaps.append((begin + from_i, end, first + from_j, last))
    return gaps
