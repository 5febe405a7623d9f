"""Reports to senders of mail to a role (RFC 3464, RFC 6522).

Their mail did not reach it, or not yet, or was passed on. Pure.

They are made anew, of the original's header and of what we know: nothing of a partner's own bounce goes on.
The role stands for everybody behind it; a remote server's words are stripped of every address and host.

A sender whose own address is beyond ASCII gets the international form (RFC 6533): every server on the way back has to
speak SMTPUTF8 anyway. Everybody else gets seven bits, in which any address and any header can be written too.
"""

from __future__ import annotations

import re
from binascii import b2a_qp
from collections.abc import Iterable
from hashlib import blake2b

from mailrouter.message import compose
from mailrouter.message.dsn.compose_text import human_text, subject_line
from mailrouter.message.dsn.undelivered import Undelivered
from mailrouter.message.head import Head
from mailrouter.message.pieces import Pieces, Slice
from mailrouter.message.shape import Shape
from mailrouter.message.text import writing
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.message.text.sanitise import without_addresses
from mailrouter.message.text.words import strip_controls
from mailrouter.message.text.xtext import decode_original_recipient, decode_xtext, encode_utf8_address

MAX_FULL = 1024 * 1024
"""Octets of an original that is given back whole; of a larger one only the header comes back."""
MAX_DIAGNOSTIC = 400
"""Characters of a remote server's words that are passed on."""

_STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}\Z")
_SMTP_REPLY = re.compile(r"[245][0-9][0-9](?:[ -]|\Z)")
_NOT_IN_HOST = re.compile(r"[^A-Za-z0-9.:_\[\]-]")
_UNWRITABLE = re.compile(r'[\s<>(),;:"\\]')


def compose_dsn(news: Undelivered, head: Head, shape: Shape) -> Pieces:
    """The whole report: a text for people, the delivery status, and the original's header (blob 0).

    The original comes back whole where that was asked for (RET=FULL) after a failure (RFC 3461 §4.3), unless
    it is larger than ``MAX_FULL`` or its header is not ASCII. A header that is not ASCII is returned as
    quoted-printable (RFC 6522 §4): its octets stay as they were, and every server can carry the report.

    Raises ValueError for the null reverse-path, which is never answered (RFC 5321 §6.1), and for one that
    can't be read as an address.
    """
    path = news.reverse_path.strip().removeprefix("<").removesuffix(">")
    if not path:
        raise ValueError("mail from the null reverse-path is never answered")
    words = _sayable(news.diagnostic, news.private)
    status = _status(news)
    said = human_text(news, head.text("subject") or "", status, words)
    returned, wide = _original(news, head, shape)
    headers = b"".join(
        (
            writing.address_field(
                "From", [Mailbox("Mail delivery system", news.sender or f"postmaster@{news.hostname}")]
            ),
            _to_field(path),
            writing.field("Subject", subject_line(news.role_name, news.action)),
            f"Date: {writing.date_field(news.moment)}\r\n".encode(),
            f"Message-ID: {writing.message_id(_derived(news, 'id').hex(), news.hostname)}\r\n".encode(),
            _threading(head),
            b"Auto-Submitted: auto-replied\r\n",  # RFC 3834 §3.1.7: a report is an answer
            b"X-Auto-Response-Suppress: All\r\n",
            b"Content-Transfer-Encoding: 8bit\r\n" if wide or news.international else b"",
        )
    )
    return compose.fresh(
        headers,
        [compose.note_part(said), (_status_part(news, status, words),), returned],
        boundary=compose.choose_boundary(_derived(news, "boundary")),
        multipart="report; report-type=delivery-status",
    )


def _status_part(news: Undelivered, status: str, words: str) -> bytes:
    """The machine's part (RFC 3464 §2): role and our host alone."""
    message = [f"Reporting-MTA: dns; {_token(news.hostname)}"]
    if envid := _unspoilt(decode_xtext(news.envid or ""), news.private):
        message.insert(0, f"Original-Envelope-Id: {envid}")  # RFC 3461 §6.3: given back decoded
    message.append(f"Arrival-Date: {writing.date_field(news.arrived)}")
    recipient: list[str] = []
    if original := decode_original_recipient(news.orcpt or ""):
        kind, address = original
        if _unspoilt(address, news.private):
            given = address if news.international or kind != "utf-8" else encode_utf8_address(address)
            recipient.append(f"Original-Recipient: {kind};{given}")
    recipient += (
        f"Final-Recipient: {_typed(news.role_address, news.international)}",
        f"Action: {news.action}",
        f"Status: {status}",
    )
    if words:
        kind = "smtp" if _SMTP_REPLY.match(words) else "x-mailrouter"
        recipient.append(f"Diagnostic-Code: {kind}; {words}")
    recipient.append(f"Last-Attempt-Date: {writing.date_field(news.moment)}")
    if news.retry_until:
        recipient.append(f"Will-Retry-Until: {writing.date_field(news.retry_until)}")
    groups = (b"".join(map(_written, group)) for group in (message, recipient))
    kind, wide = "delivery-status", b""
    if news.international:
        kind, wide = "global-delivery-status", b"Content-Transfer-Encoding: 8bit\r\n"
    return f"Content-Type: message/{kind}\r\n".encode() + wide + b"\r\n" + b"\r\n".join(groups)


def _original(news: Undelivered, head: Head, shape: Shape) -> tuple[Pieces, bool]:
    """The returned part of the original; and whether that part is 8bit."""
    if news.international and _is_utf8(head.raw[: shape.header_end]):
        return _global_original(news, shape), True
    if news.full and news.action == "failed" and shape.size <= MAX_FULL and not shape.header_eight_bit:
        wide = b"Content-Transfer-Encoding: 8bit\r\n" if shape.eight_bit else b""
        lead = b"Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n" + wide + b"\r\n"
        return (lead, Slice(0, 0, shape.size)), shape.eight_bit
    if not shape.header_eight_bit:
        return (b"Content-Type: text/rfc822-headers\r\n\r\n", Slice(0, 0, shape.header_end)), False
    section = head.raw[: shape.header_end]
    charset = b"utf-8" if _is_utf8(section) else b"unknown-8bit"  # RFC 1428 §3
    lead = b"Content-Type: text/rfc822-headers; charset=" + charset
    return (lead + b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + _quoted(section),), False


def _global_original(news: Undelivered, shape: Shape) -> Pieces:
    """The original, or its header, in UTF-8 (RFC 6533 §6, 6532 §3.7)."""
    whole = news.full and news.action == "failed" and shape.size <= MAX_FULL
    kind = b"global" if whole else b"global-headers"
    lead = b"Content-Type: message/" + kind + b"\r\nContent-Disposition: attachment\r\n"
    end = shape.size if whole else shape.header_end
    return (lead + b"Content-Transfer-Encoding: 8bit\r\n\r\n", Slice(0, 0, end))


def _is_utf8(section: bytes) -> bool:
    try:
        section.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _sayable(diagnostic: str, private: Iterable[str]) -> str:
    """A remote server's words on one ASCII line, without anything of partners."""
    line = " ".join(strip_controls(without_addresses(diagnostic, private)).split())
    ascii_line = line.encode("ascii", "replace").decode("ascii").replace("=?", "= ?")
    return (
        ascii_line
        if len(ascii_line) <= MAX_DIAGNOSTIC
        else ascii_line[: MAX_DIAGNOSTIC - 6].rstrip() + " [...]"
    )


def _status(news: Undelivered) -> str:
    """The status to report: a delay is of class 4, and nothing that failed was a success (RFC 3463 §3.1)."""
    known = news.status if _STATUS.match(news.status) else ""
    if news.expanded:
        return "2.0.0"
    if news.retry_until:
        return known if known.startswith("4") else "4.0.0"
    return known if known and not known.startswith("2") else "5.0.0"


def _typed(address: str, international: bool) -> str:
    """An address with its type (RFC 3464 §2.3.2); beyond ASCII as it is in an international report, else in the 7-bit
    form of RFC 6533 §3."""
    bare = "".join(address.split())
    if international and not bare.isascii():
        return f"utf-8; {bare}"
    try:
        return f"rfc822; {writing.writable(address).decode('ascii')}"
    except ValueError:
        return f"utf-8; {encode_utf8_address(bare)}"


def _to_field(path: str) -> bytes:
    if address := writing.address_field("To", [Mailbox("", path)]):
        return address
    # RFC 6532: only a server that speaks SMTPUTF8 gets this, as it did for the original.
    if "@" not in path or path.isascii() or not path.isprintable() or _UNWRITABLE.search(path):
        raise ValueError("the return path can't be read as an address")
    return b"To: " + path.encode("utf-8") + b"\r\n"


def _threading(head: Head) -> bytes:
    """In-Reply-To, for the report to stand beside its mail (RFC 5322 §3.6.4)."""
    if not head.message_id or not head.message_id.isascii():
        return b""
    return b"".join(f"{name}: {head.message_id}\r\n".encode() for name in ("In-Reply-To", "References"))


def _unspoilt(value: str | None, private: Iterable[str]) -> str:
    """The sender's own word, or nothing where it holds what is private: then it was never theirs."""
    low = (value or "").lower()
    return "" if any(entry.strip().lower() in low for entry in private if entry.strip()) else value or ""


def _written(line: str) -> bytes:
    name, _, value = line.partition(": ")
    # Encoded words have no meaning here; what is beyond ASCII stands in international reports alone.
    return writing.field(name, value) if value.isascii() else f"{name}: {value}\r\n".encode()


def _token(host: str) -> str:
    return _NOT_IN_HOST.sub("", host) or "localhost"


def _derived(news: Undelivered, what: str) -> bytes:
    what += " delayed" if news.retry_until else " failed"  # one seed may serve both reports on a mail
    return blake2b(what.encode(), key=news.seed[:64], digest_size=16).digest()


def _quoted(section: bytes) -> bytes:
    """Octets as quoted-printable in CRLF lines (RFC 2045 §6.7)."""
    lines = section.removesuffix(b"\r\n").split(b"\r\n")
    return b"".join(b2a_qp(line).replace(b"\n", b"\r\n") + b"\r\n" for line in lines)
