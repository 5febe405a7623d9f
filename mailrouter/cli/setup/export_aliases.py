"""``mailrouter export-aliases``: the roles as plain aliases of Postfix, to fall back on."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from mailrouter.cli.common import load
from mailrouter.errors import MailrouterError
from mailrouter.schedule.localtime import local_day
from mailrouter.schedule.model import Role

_WHAT = """\
The way out: mail to each role goes straight to all its partners, as it is, without mailrouter: no notes, \
no handoffs, no automatic replies. Make this file anew whenever partners or addresses change."""
_USE = {
    "virtual": (
        "To use it, as root; where virtual_alias_maps names other tables already, keep them behind a comma:",
        (
            "mailrouter export-aliases > /etc/postfix/mailrouter-aliases",
            "postconf -e virtual_alias_maps=texthash:/etc/postfix/mailrouter-aliases",
            "postfix reload",
        ),
        "Postfix rewrites an address before it chooses a transport, so a line in transport_maps that brings "
        "mail here may stay. Undo: take the table out of virtual_alias_maps and reload.",
    ),
    "aliases": (
        "To use it, as root, where the roles' domain is in mydestination; keep the tables that alias_maps "
        "has already:",
        (
            "mailrouter export-aliases --format aliases > /etc/postfix/mailrouter-aliases",
            "postalias /etc/postfix/mailrouter-aliases",
            "postconf -e 'alias_maps = hash:/etc/aliases, hash:/etc/postfix/mailrouter-aliases'",
            "postfix reload",
        ),
        "A line in transport_maps that brings the role's mail here goes before it: take it out, too.",
    ),
}


def export_aliases(options: argparse.Namespace) -> int:
    """Print all roles' alias lines, with comments on their use."""
    roles = load(options).roles
    lines = virtual_lines(roles) if options.format == "virtual" else alias_lines(roles)
    print("\n".join([*_comments(options.format), *lines]))
    return 0


def virtual_lines(roles: Sequence[Role]) -> list[str]:
    """Lines of a virtual(5) table: ``address partner, partner``, one for each address and alias.

    Raises MailrouterError for an address that such a table can't hold.
    """
    lines = []
    for role in roles:
        for address in (role.address, *role.aliases):
            if address.startswith("#"):
                raise MailrouterError(
                    f"{address} would be a comment in a table of Postfix; use --format aliases."
                )
            lines.append(f"{address} {_partners(role)}")
    return lines


def alias_lines(roles: Sequence[Role]) -> list[str]:
    """Lines of an aliases(5) table: ``local-part: partner, partner``; it knows no domains.

    Raises MailrouterError where two roles differ in their domains alone.
    """
    found: dict[str, tuple[str, str]] = {}
    for role in roles:
        for address in (role.address, *role.aliases):
            local = address.rpartition("@")[0]
            first, partners = found.setdefault(local, (address, _partners(role)))
            if partners != _partners(role):
                raise MailrouterError(
                    f"{first} and {address} are one and the same to an alias file, which knows no domains; "
                    "use --format virtual."
                )
    plain = re.compile(r"[\w.-]+")
    return [
        f"{local if plain.fullmatch(local) else chr(34) + local + chr(34)}: {partners}"
        for local, (_, partners) in found.items()
    ]


def _partners(role: Role) -> str:
    # A partner's mailbox that is the role's own address was refused when the configuration was read.
    today = local_day(datetime.now(UTC), role.time_zone)
    return ", ".join(person.email for person in role.on_day(today).partners)


def _comments(format: str) -> Iterator[str]:
    before, commands, after = _USE[format]
    yield from textwrap.wrap(_WHAT, 80, initial_indent="# ", subsequent_indent="# ")
    yield "#"
    yield from textwrap.wrap(before, 80, initial_indent="# ", subsequent_indent="# ")
    yield from (f"#   {command}" for command in commands)
    yield from textwrap.wrap(after, 80, initial_indent="# ", subsequent_indent="# ")
    yield ""
