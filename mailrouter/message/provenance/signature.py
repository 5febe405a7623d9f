"""DKIM-Signature fields: who signed, and what a signature covers (RFC 6376 §3.2, §3.5). Pure; never raises.

Signatures are not verified here: the mail server before us has done that. What it can't say is what a signature
leaves out, and with that whether a signed mail could be sent once more to somebody else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_FIELD = 16 * 1024
"""Octets of one field that is read; a signature of RSA 4096 has some 1,200."""

_BAD = re.compile(rb"[^\t\r\n -~]|\r(?!\n[ \t])|(?<!\r)\n")
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_]*+")


@dataclass(frozen=True, slots=True)
class Signature:
    """A DKIM signature: domain in lower case, covered fields, whether it covers only a part of the body."""

    domain: str
    covered: frozenset[str]
    part_of_body: bool


def read_signature(raw: bytes) -> Signature | None:
    """A raw field value; None where it has no strict list of tags, or a tag twice, or no domain in d=.

    Two verifiers may read such a field in two ways, so nobody knows what it covers. Without h= it covers nothing.
    """
    tags = read_tags(raw)
    if tags is None or len(tags.get("d", "").split()) != 1:
        return None
    covered = frozenset(name.strip().lower() for name in tags.get("h", "").split(":"))
    return Signature(tags["d"].lower().rstrip("."), covered, "l" in tags)


def read_tags(raw: bytes) -> dict[str, str] | None:
    """A list of tags by name (RFC 6376 §3.2). Values are without the white space around them; None where it is none."""
    if len(raw) > MAX_FIELD or _BAD.search(raw):
        return None
    tags: dict[str, str] = {}
    parts = raw.decode("ascii").split(";")
    if not parts[-1].strip():
        parts.pop()
    for part in parts:
        name, equals, value = part.partition("=")
        name = name.strip()
        if not equals or _TAG.fullmatch(name) is None or name in tags:
            return None
        tags[name] = value.strip()
    return tags
