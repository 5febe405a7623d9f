"""Warnings about settings that are each right and together do harm. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address

from mailrouter.address import domain_of, split_tag
from mailrouter.config.report import follow
from mailrouter.config.settings import Network, Settings
from mailrouter.config.values.errors import shown
from mailrouter.config.yaml.tree import Tree
from mailrouter.errors import Problem
from mailrouter.schedule.model import Role

_WIDEST = {4: 8, 6: 16}
"""The shortest prefix of a trusted network by IP version: 10.0.0.0/8 is the largest private one."""
_EVERYWHERE = ("", "0.0.0.0", "::")


def settings_warnings(tree: Tree, settings: Settings, roles: Sequence[Role]) -> Iterator[Problem]:
    """Warnings about valid but harmful settings, each at its line.

    Only what the values themselves tell: no name is looked up, and no file.
    """
    for path, what, hint in _found(settings, roles):
        entry, node, steps = follow(tree.root, path)
        line, column = (node.line, node.column) if steps == len(path) and entry else (0, 0)
        if (line, column) == (0, 0):
            yield Problem(tree.file, 1, 1, what, hint, warning=True)
        else:
            at = tree.problem(line, column, what, hint)
            yield Problem(at.file, at.line, at.column, what, hint, at.source_line, warning=True)


def _found(settings: Settings, roles: Sequence[Role]) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Path to the key, what is wrong, and what to do."""
    addresses = {address: role for role in roles for address in (role.address, *role.aliases)}
    if (role := addresses.get(split_tag(settings.postmaster)[0])) is not None:
        yield (
            ("postmaster",),
            f"{shown(settings.postmaster)} is the role {role.key} itself, so nobody in IT would hear of trouble",
            "name a mailbox that IT reads",
        )
    for network in filter(_too_wide, settings.trusted_networks):
        yield (
            ("trusted_networks",),
            f"{network} trusts the servers of strangers: whoever connects from there may vouch for a partner",
            "name your own mail servers alone, as in [127.0.0.1, 10.0.0.5]",
        )
    if settings.return_domain in {domain_of(address) for address in addresses}:
        yield (
            ("return_domain",),
            f"{shown(settings.return_domain or '')} is the roles' own domain, where bounces come without this line",
            "remove the line, or name a domain whose mail comes to mailrouter alone",
        )
    if why := _no_name(settings.hostname):
        yield (
            ("hostname",),
            f"{shown(settings.hostname)} is {why}, and other servers distrust a server that calls itself so",
            "write this machine's whole name, as in mx.example.com",
        )
    if any(port == 0 for _, port in settings.listen_smtp):
        yield (
            ("listen", "smtp"),
            "port 0 is another one at each start, and no mail server can be told where to deliver",
            "write a port, as in 127.0.0.1:2525",
        )
    if settings.web is not None and settings.web[0] in _EVERYWHERE:
        yield (
            ("web",),
            "everybody who can reach this machine can read how much mail there is and whether it flows",
            f"write 127.0.0.1:{settings.web[1]}, or an address that only monitoring reaches",
        )


def _too_wide(network: Network) -> bool:
    return network.prefixlen < _WIDEST[network.version]


def _no_name(hostname: str) -> str:
    """The reason why a host name can't greet servers (RFC 5321 §2.3.5). ``""`` where it can."""
    try:
        ip_address(hostname.strip("[]"))
        return "an address and no name"
    except ValueError:
        pass
    if hostname == "localhost" or hostname.endswith((".localhost", ".localdomain")):
        return "every machine's name for itself"
    return "" if "." in hostname else "a name without its domain"
