"""Received fields read backwards: which of them our own servers wrote, and where the mail came from. Pure.

Each server puts its field above what it got (RFC 5321 §4.4), and names the client that handed it in. So the topmost
field is by the server that handed the mail to us; if the client that it names is one of our servers as well, the
next is by that, and so on. The first client that is none of ours is where the mail came from, and whatever stands
below that field was in the mail before: it may say anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from mailrouter.message.head import Head

MAX_HOPS = 25
"""Received fields that are read; a mail with more than a hundred is refused as a loop."""
_MAX_FIELD = 1_500
_MAX_COMMENTS = 20

_PIECE = re.compile(r"\\.|[()]|[^\\()]++", re.S)
_FROM = re.compile(r"\s*+from\s++(\S++)", re.I)
# Words of the client's own: how it greeted. Exim writes helo=, qmail HELO, Yahoo EHLO.
_GREETING = re.compile(r"\bhelo=\S*+|\A\s*+(?:helo|ehlo)\s.*+", re.I | re.S)
_LITERAL = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f.:]{2,45}+)\]", re.I)
_BARE = re.compile(r"\s*+(?:IPv6:)?([0-9A-Fa-f.:]{2,45}+)\s*+", re.I)
# No client is named where a system hands on within itself (Google), or in a field of its own (qmail).
_HANDED_ON = re.compile(
    r"\s*+by\s.*\bwith\s++(?:UTF8)?+(?:E?SMTP|LMTP)[SA]*+\b|\s*+\(qmail \d++ invoked from network\)",
    re.I | re.S,
)


@dataclass(frozen=True, slots=True)
class Provenance:
    """A mail's way to us, by our servers' own fields.

    ``origin`` is the address of the first client outside our servers, ``""`` where the fields don't tell. Of
    ``Head.fields`` those before index ``above`` are by our servers for certain, and from index ``below`` on none is;
    in between stands what the server at the border, or the sender, put beneath that server's Received field.
    """

    origin: str
    above: int
    below: int


def provenance(head: Head, client: str | None, is_ours: Callable[[str], bool]) -> Provenance:
    """The provenance of a mail that ``client`` handed in.

    None: one of our servers, whichever; ``is_ours`` tells the addresses of our servers.
    """
    places = [index for index, field in enumerate(head.fields) if field.name == "received"]
    end = len(head.fields)
    if client is not None and not is_ours(client):
        return Provenance(client, 0, end)
    for number, raw in enumerate(head.raw_values("received")[:MAX_HOPS]):
        below = places[number + 1] if number + 1 < len(places) else end
        address = client_of(raw)
        if address is None:
            if _HANDED_ON.match(raw[:_MAX_FIELD].decode("latin-1")):
                continue  # inside one system; the next field is by that, too
            return Provenance("", places[number], below)
        if not is_ours(address):
            return Provenance(address, places[number], below)
    return Provenance("", 0, places[MAX_HOPS] if len(places) > MAX_HOPS else end)


def client_of(raw: bytes) -> str | None:
    """The client's address, as a Received field's writer saw it, or None.

    What the client called itself is passed over: ``from HELO (name [address])`` is by Postfix and Sendmail, ``from
    name ([address] helo=HELO)`` or ``from [address] (helo=HELO)`` by Exim, ``from name (HELO HELO) (address)`` by
    qmail, ``from name (address) by`` by Exchange. Two different addresses are none.

    >>> client_of(b" from [127.0.0.1] (unknown [203.0.113.5]) by mx.example.test (Postfix)")
    '203.0.113.5'
    """
    text = raw[:_MAX_FIELD].decode("latin-1")
    begun = _FROM.match(text)
    if begun is None:
        return None
    comments = _comments(text[begun.end() :])
    if comments is None:
        return None
    said = [_GREETING.sub("", comment) for comment in comments]
    found = {_address(match[1]) for comment in said for match in _LITERAL.finditer(comment)}
    if not found:
        found = {_address(match[1]) for comment in said if (match := _BARE.fullmatch(comment))}
    greeted = said != comments
    if not found and greeted and (literal := _LITERAL.fullmatch(begun[1])):
        found = {_address(literal[1])}
    return found.pop() if len(found) == 1 else None


def _comments(text: str) -> list[str] | None:
    """The comments before ``by``, which is the writer's own name; None where they are not closed."""
    found: list[str] = []
    depth, inside = 0, ""
    for match in _PIECE.finditer(text):
        piece = match[0]
        if piece == "(":
            depth += 1
            inside = "" if depth == 1 else f"{inside[:500]}("
        elif piece == ")":
            depth -= 1
            if depth < 0 or len(found) == _MAX_COMMENTS:
                return None
            if depth == 0:
                found.append(inside)
        elif depth:
            inside = (inside + piece)[:600]
        elif piece.strip():
            return found  # by …
    return found if depth == 0 else None


def _address(text: str) -> str | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)
