"""A cache of work on trees: a service whose one file changes works that one out again, and not a thousand."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from mailrouter.config.yaml.tree import Tree

REMEMBERED = 4096
"""Roles whose texts are remembered once they were read: some 40 KB each."""

Came = TypeVar("Came")


class Remembered(Generic[Came]):
    """A function of a tree, and of more, that remembers.

    Trees are told apart by identity, since comparing them costs more than it saves; ``role_tree`` remembers them by
    their text.
    """

    def __init__(self, work: Callable[..., Came]) -> None:
        self._work = work
        self._kept: OrderedDict[int, tuple[Tree, tuple[Hashable, ...], Came]] = OrderedDict()

    def __call__(self, tree: Tree, *more: Hashable) -> Came:
        """Call ``work(tree, *more)``, or give its remembered result."""
        kept = self._kept.get(id(tree))
        # The tree is held, so that nothing else can come to have its identity.
        if kept is not None and kept[0] is tree and kept[1] == more:
            return kept[2]
        came = self._work(tree, *more)
        self._kept[id(tree)] = tree, more, came
        while len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)
        return came
