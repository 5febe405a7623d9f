"""Faults between files that are each right: shared addresses, loops.

Works on the trees, so that it can speak even where another part of a file is broken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mailrouter.address import split_tag
from mailrouter.config.cache import Remembered
from mailrouter.config.report import follow
from mailrouter.config.values.addresses import comparable
from mailrouter.config.values.errors import shown
from mailrouter.config.yaml.tree import Items, Text, Tree
from mailrouter.config.yaml.tree import Mapping as MappingNode
from mailrouter.errors import Problem


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address in a role's file, and the same without a sub-address; ``owner`` is the role, ``whose`` the partner's
    short name or ``""``."""

    address: str
    base: str
    owner: str
    whose: str
    tree: Tree
    line: int
    column: int

    def problem(self, what: str, hint: str) -> Problem:
        """A problem at this address."""
        return self.tree.problem(self.line, self.column, what, hint)

    @property
    def place(self) -> str:
        """The place of the entry, for a hint."""
        return f"{self.tree.file}:{self.line + 1}"


def between_roles(trees: Mapping[str, Tree]) -> Iterator[Problem]:
    """Problems between roles, by short name, and among one role's addresses."""
    of_roles: dict[str, Mailbox] = {}
    found = {key: _addresses(tree, key) for key, tree in trees.items()}
    for key, one in found.items():
        yield from one.problems
        for claim in one.of_role:
            first = of_roles.setdefault(claim.address, claim)
            if first is not claim:
                what = (
                    f"{shown(claim.address)} is this role's already"
                    if first.owner == key
                    else (f"{shown(claim.address)} is an address of the role {first.owner} already")
                )
                yield claim.problem(what, f"the first is at {first.place}; keep one")
    for key, one in found.items():
        yield from _own_mailboxes(key, one.people, of_roles)
        yield from _weekly_to_itself(key, one.weekly, of_roles)
    yield from _circles({key: one.people for key, one in found.items()}, of_roles)


@dataclass(frozen=True, slots=True)
class _Addresses:
    """All of one file: the role's, its people's, and those of the weekly mail; and what is wrong with short names."""

    of_role: tuple[Mailbox, ...]
    people: tuple[Mailbox, ...]
    weekly: tuple[Mailbox, ...]
    problems: tuple[Problem, ...]


def _addresses_in(tree: Tree, key: str) -> _Addresses:
    return _Addresses(
        tuple(role_addresses(key, tree)),
        tuple(people(key, tree)),
        tuple(_weekly(key, tree)),
        tuple(_same_short_name(tree)),
    )


_addresses = Remembered(_addresses_in)


def role_addresses(key: str, tree: Tree) -> Iterator[Mailbox]:
    """The role's address and aliases, as far as they can be read."""
    for path in ("role", "aliases"):
        _, node, steps = follow(tree.root, (path,))
        for item in node.items if isinstance(node, Items) else (node,):
            if steps and isinstance(item, Text) and "@" in (item.value or ""):
                yield _mailbox(item, key, "", tree)


def _mailbox(node: Text, owner: str, whose: str, tree: Tree) -> Mailbox:
    address = comparable(node.value or "")
    return Mailbox(address, split_tag(address)[0], owner, whose, tree, node.line, node.column)


def people(key: str, tree: Tree) -> Iterator[Mailbox]:
    """The mailboxes of partners, then of stand-ins, where readable."""
    _, partners, steps = follow(tree.root, ("partners",))
    paths: list[tuple[str | int, ...]] = []
    if steps and isinstance(partners, MappingNode):
        paths += [("partners", name, "email") for name in partners.entries]
    _, absences, steps = follow(tree.root, ("absences",))
    if steps and isinstance(absences, Items):
        paths += [("absences", number, "cover", "email") for number in range(len(absences.items))]
    for path in paths:
        _, node, steps = follow(tree.root, path)
        if steps == len(path) and isinstance(node, Text) and "@" in (node.value or ""):
            whose = str(path[1]) if path[0] == "partners" else ""
            yield _mailbox(node, key, whose, tree)


def _same_short_name(tree: Tree) -> Iterator[Problem]:
    _, partners, steps = follow(tree.root, ("partners",))
    seen: dict[str, str] = {}
    if steps and isinstance(partners, MappingNode):
        for name, entry in partners.entries.items():
            if (first := seen.setdefault(name.casefold(), name)) != name:
                what = f"`{shown(name)}` and `{shown(first)}` differ only in capitals"
                yield tree.problem(
                    entry.line, entry.column, what, "choose another short name for one of them"
                )


def _own_mailboxes(key: str, boxes: Iterable[Mailbox], of_roles: Mapping[str, Mailbox]) -> Iterator[Problem]:
    """Mail to the role's own address would come back; two partners with one mailbox would get two copies."""
    seen: dict[str, Mailbox] = {}
    for box in boxes:
        role = of_roles.get(box.base)
        if role is not None and role.owner == key:
            what = f"{shown(box.address)} is the role's own address, so its mail would go round in a circle"
            yield box.problem(what, "write the person's own mailbox")
        first = seen.setdefault(box.address, box) if box.whose else seen.get(box.address)
        if first is None or first is box:
            continue
        if box.whose:
            yield box.problem(
                f"{shown(box.address)} is {first.whose}'s mailbox already", "each partner needs their own"
            )
        else:
            hint = f"write cover: {first.whose}"
            yield box.problem(f"{shown(box.address)} is a partner's mailbox, so this is no stand-in", hint)


def _weekly(key: str, tree: Tree) -> Iterator[Mailbox]:
    _, node, steps = follow(tree.root, ("weekly_mail", "to"))
    for item in node.items if isinstance(node, Items) else (node,):
        if steps == 2 and isinstance(item, Text) and "@" in (item.value or ""):
            yield _mailbox(item, key, "", tree)


def _weekly_to_itself(
    key: str, boxes: Iterable[Mailbox], of_roles: Mapping[str, Mailbox]
) -> Iterator[Problem]:
    """Report a weekly mail to its own role. The role would refuse it as its own."""
    for box in boxes:
        role = of_roles.get(box.base)
        if role is not None and role.owner == key:
            what = f"{shown(box.address)} is the role's own address"
            yield box.problem(what, "name the colleagues who are to get it")


def _circles(found: Mapping[str, Iterable[Mailbox]], of_roles: Mapping[str, Mailbox]) -> Iterator[Problem]:
    """Report roles that are partners of each other. A role in a role is fine as long as it ends at people."""
    leads_to: dict[str, dict[str, Mailbox]] = {key: {} for key in found}
    for key, boxes in found.items():
        for box in boxes:
            role = of_roles.get(box.base)
            if role is not None and role.owner != key:
                leads_to[key].setdefault(role.owner, box)
    done: set[str] = set()
    for start in found:
        path = [] if start in done else [start]
        branches = [iter(leads_to[key]) for key in path]
        while branches:
            following = next(branches[-1], None)
            if following is None:
                branches.pop()
                done.add(path.pop())
            elif following in path:
                circle = path[path.index(following) :]
                box = leads_to[path[-1]][following]
                way = " → ".join((*circle, following))
                yield box.problem(
                    f"these roles are each other's partners: {shown(way, 200)}", "break the circle"
                )
            elif following not in done:
                path.append(following)
                branches.append(iter(leads_to[following]))


def keys_of_partners(tree: Tree) -> Mapping[str, str] | None:
    """The partners' keys by their case-folded form; None where the file doesn't say."""
    _, node, steps = follow(tree.root, ("partners",))
    if not steps or not isinstance(node, MappingNode) or not node.entries:
        return None
    keys: dict[str, str] = {}
    for key in node.entries:
        keys.setdefault(key.casefold(), key)
    return keys
