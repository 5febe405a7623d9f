"""The fields of a copy that hold more addresses than the original's: Cc and Reply-To. Pure.

What was written stays as it was, octet for octet, and the new addresses come after it: nobody is dropped
because a name or a group could not be read. A field that can't be safely continued is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailrouter.address import canonical
from mailrouter.message import bounds
from mailrouter.message.head import Head
from mailrouter.message.mailboxes import Mailbox, read_mailboxes
from mailrouter.message.text import address_field
from mailrouter.routing.quoting import outside

_LONGEST_LINE = 990
"""Octets of the last line, so that a comma still fits (RFC 5322 §2.1.1: 998)."""

_SPECIAL = re.compile(rb'["()\\\\:;\[\]]')
_LITERAL = re.compile(r"\[[^\[\]<>]*\]")  # an address for a domain (RFC 5321 §4.1.3)
_ANGLES = re.compile(r"<[^<>]*>")
_LIST = re.compile(rb"[^<>]*(?:<[^<>]*>[^<>]*)*")
_GROUPS = re.compile(r"[^:;]*(?::[^:;]*;[^:;]*)*")  # name: members; (RFC 5322 §3.4)

_PROBE = Mailbox("", "a@b.test")


def extended(name: str, raws: Sequence[bytes], more: Sequence[Mailbox]) -> bytes:
    """A whole field ``name`` with what ``raws`` (raw values, see ``Head.raw_values``) hold and then ``more``.

    Empty where ``more`` is; ask ``extendable`` first.
    """
    added = address_field(name, more)
    before = [value for raw in raws if (value := raw.strip(b" \t\r\n,"))]
    if not added or not before:
        return added
    head = len(name) + 1
    return added[:head] + b" " + b",\r\n ".join(before) + b",\r\n" + added[head:]


def extendable(raws: Sequence[bytes]) -> bool:
    """Whether addresses put after these raw values would be read as addresses by everybody.

    Not after an open quote, comment, angle bracket or group, nor in a list parted by semicolons, nor where
    the value is longer than what was read of it.
    """
    return sum(map(len, raws)) <= bounds.ADDRESSES and all(map(_closed, raws))


def _closed(raw: bytes) -> bool:
    if len(raw) - raw.rfind(b"\n") > _LONGEST_LINE:
        return False
    if not _SPECIAL.search(raw):
        return _LIST.fullmatch(raw) is not None
    text = raw.decode("latin-1")
    plain = outside(text)
    if plain is None:
        return False
    plain = _ANGLES.sub("", _LITERAL.sub("", plain))
    if any(c in plain for c in "<>[]") or _GROUPS.fullmatch(plain) is None:
        return False
    # A strict reader gets it right. A lenient one, such as ours, may see quotes in comments: ask it, too.
    return read_mailboxes(f"{text}, {_PROBE.address}") == (*read_mailboxes(text), _PROBE)


def reply_to_with(head: Head, roles: Sequence[Mailbox]) -> bytes | None:
    """The sender's own Reply-To, or else the sender, and the roles, so that a plain answer reaches the
    others.

    Empty where nothing needs to change: the roles stand there already, or there is nobody to answer. None
    where what the sender wrote can't be continued safely; then it has to stay as it is.
    """
    own = head.mailboxes("reply-to")
    if not own and any(b"@" in raw for raw in head.raw_values("reply-to")):
        return None
    answer_to = own or head.mailboxes("from")
    known = {canonical(mailbox.address) for mailbox in answer_to}
    more = [role for role in roles if canonical(role.address) not in known]
    if not answer_to or not more:
        return b""
    raws = head.raw_values("reply-to" if own else "from")
    return extended("Reply-To", raws, more) if extendable(raws) else None


def cc_with(head: Head, more: Sequence[Mailbox]) -> bytes:
    """The original's Cc and then ``more``; see ``extendable``."""
    return extended("Cc", head.raw_values("cc"), more)
