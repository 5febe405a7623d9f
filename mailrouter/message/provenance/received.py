"""Trace fields, and the marks of mail that returns. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

from mailrouter import keyed
from mailrouter.address import canonical
from mailrouter.message.head import Head
from mailrouter.message.text.writing import date_field

LOOP_FIELD = "Mailrouter-Loop"

_NOT_DOMAIN = re.compile(r"[^A-Za-z0-9.:_\[\]-]")
_NOT_TOKEN = re.compile(r"[^A-Za-z0-9.+_-]")


def received_field(
    *,
    helo: str,
    peer: str,
    by: str,
    protocol: str,
    queue_id: str,
    when: datetime,
) -> bytes:
    """Our Received field (RFC 5321 §4.4), folded, with its CRLF.

    ``helo`` is what the client called itself, ``peer`` its address (RFC 5321 §4.1.3 literals are made here),
    ``protocol`` a keyword of RFC 3848 (``ESMTPS`` …). Whom the mail is for never stands in a trace.
    """
    way = _from_and_by(helo[:255], peer[:64], by[:255], protocol[:20])
    field = f"Received: {way} id {_NOT_TOKEN.sub('', queue_id)[:64]};\r\n\t{date_field(when)}\r\n"
    return field.encode("ascii")


@lru_cache(maxsize=256)
def _from_and_by(helo: str, peer: str, by: str, protocol: str) -> str:
    """Both ends that a Received field names: mostly the same few servers hand mail in."""
    address = _NOT_DOMAIN.sub("", peer).strip("[]")
    literal = f"[IPv6:{address}]" if ":" in address else f"[{address or 'unknown'}]"
    source = _NOT_DOMAIN.sub("", helo) or literal
    token = _NOT_TOKEN.sub("", protocol) or "SMTP"
    return f"from {source} ({literal})\r\n\tby {_NOT_DOMAIN.sub('', by)} with {token}"


def received_count(head: Head) -> int:
    """The number of servers that handled the message (RFC 5321 §6.3)."""
    return len(head.raw_values("received"))


@lru_cache(maxsize=1024)
def loop_mark(key: bytes, role_address: str) -> str:
    """The value of ``Mailrouter-Loop`` for a role: keyed, so that no outsider can stop a role's mail."""
    return keyed.base32(keyed.digest(key, b"loop\0" + canonical(role_address).encode("utf-8"))[:15])


def has_loop_mark(head: Head, key: bytes, role_address: str) -> bool:
    """Whether this message was already copied for this role."""
    values = head.raw_values(LOOP_FIELD)
    if not values:
        return False
    mark = loop_mark(key, role_address)
    return any(keyed.same(value.strip().lower().decode("latin-1"), mark) for value in values)
