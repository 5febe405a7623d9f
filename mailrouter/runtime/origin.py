"""The server that handed a message in: one of our own or not, and from whom they had it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address

from mailrouter.caching import cached_by_text
from mailrouter.config.settings import Network, Settings
from mailrouter.message.head import Head
from mailrouter.message.provenance.hops import Provenance, provenance

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9.:_\[\]-]")
_LONGEST_NAME = 60


def trusts(networks: Sequence[Network], client: str) -> bool:
    """Whether a client's address is in one of our own networks."""
    address = _address(client)
    return address is not None and any(address in network for network in networks)


@cached_by_text(1024)
def _address(client: str) -> IPv4Address | IPv6Address | None:
    """An address without its zone, IPv4 where it is mapped into IPv6; None for what is none."""
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def way_of(settings: Settings, head: Head, client: str | None) -> Provenance:
    """The way of a mail, by its trustworthy Received fields. ``client`` handed it in (None: one of our servers)."""
    return provenance(head, client, partial(trusts, settings.trusted_networks))


def came_from(way: Provenance, client: str, helo: str) -> str:
    """The server a mail came from, told to the partner it names.

    It is the address that one of our servers saw, and beside that only what a host's name may hold: nothing that the
    sender chose can look like words of ours.
    """
    if way.origin == client:
        name = _NOT_IN_A_NAME.sub("", helo)[:_LONGEST_NAME]
        return f"{client} (which calls itself {name})" if name else client
    if way.origin:
        return f"{way.origin} (handed on by our own server {client})"
    return f"our own server {client}; where it had it from can't be told"
