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
from mailrouter.message.text.mailboxes import Mailbox, read_mailboxes
from mailrouter.message.text.words import decode_words, strip_controls, unfold
from mailrouter.message.text.writing import address_field
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
    """A whole field ``name`` with ``raws`` and then ``more``. ``raws`` are raw values (see ``Head.raw_values``).

    Empty where ``more`` is; ask ``extendable`` first.
    """
    added = address_field(name, more)
    before = [value for raw in raws if (value := raw.strip(b" \t\r\n,"))]
    if not added or not before:
        return added
    head = len(name) + 1
    return added[:head] + b" " + b",\r\n ".join(before) + b",\r\n" + added[head:]


def extendable(raws: Sequence[bytes]) -> bool:
    """Whether readers would take addresses after these values as addresses. Everybody would; the values are raw.

    Not after an open quote, comment, angle bracket or group, nor in a list parted by semicolons, nor where
    the value is longer than what was read of it.
    """
    if sum(map(len, raws)) > bounds.ADDRESSES or len(raws) > bounds.ADDRESS_FIELDS:
        return False
    return all(_closed(raw, bounds.ADDRESS_TOKENS // len(raws)) for raw in raws)


def _closed(raw: bytes, tokens: int) -> bool:
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
    # A strict reader gets it right. A lenient one, such as ours, may see quotes in comments: ask it, too. Where there
    # are more tokens than it reads, it does not find what was put after them.
    return read_mailboxes(f"{text}, {_PROBE.address}", tokens) == (*read_mailboxes(text, tokens), _PROBE)


def reply_to_with(head: Head, roles: Sequence[Mailbox]) -> bytes | None:
    """A Reply-To by which a plain answer reaches the roles.

    It has the sender's own Reply-To, or else the sender, and the roles.

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
    if not extendable(raws):
        return None
    if all(map(_each_an_address, raws)):
        return extended("Reply-To", raws, more)
    # "Doe, Jane <jane@x.test>" without quotes: as it is, the first entry of a list would be no address.
    return address_field("Reply-To", [*_whole_names(raws, answer_to), *more])


def _each_an_address(raw: bytes) -> bool:
    """Whether every entry of a list has an address. Strict and lenient readers see the same ones then."""
    if b"," not in raw:
        return True
    plain = outside(raw.decode("latin-1"))
    if plain is None or _GROUPS.fullmatch(plain) is None or ":" in plain:
        return True  # a group, or what ``extendable`` judges
    return all("@" in entry for entry in plain.split(",") if entry.strip())


def _whole_names(raws: Sequence[bytes], mailboxes: Sequence[Mailbox]) -> Sequence[Mailbox]:
    """The mailboxes, a single one with all before its address as name."""
    if len(mailboxes) != 1 or len(raws) != 1 or raws[0].count(b"<") != 1:
        return mailboxes
    name = decode_words(unfold(raws[0]).partition(b"<")[0].decode("utf-8", "replace"))
    return (Mailbox(" ".join(strip_controls(name).replace('"', "").split()), mailboxes[0].address),)


def cc_with(head: Head, more: Sequence[Mailbox]) -> bytes:
    """The original's Cc and then ``more``; see ``extendable``."""
    return extended("Cc", head.raw_values("cc"), more)
