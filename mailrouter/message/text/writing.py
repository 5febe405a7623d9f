"""Writing what is new in a message: header fields, encoded words, bodies, dates. Pure; gives US-ASCII only.

Nothing that comes in can end a line: controls are taken out of every header value before it is written.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import quote

from mailrouter.caching import cached_by_short, cached_by_text, is_short
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.message.text.words import strip_controls

LINE = 76  # RFC 2047 §2 for header lines with encoded words, RFC 2045 §6.7 for quoted-printable
_WORD = 75
_LONGEST_RUN = 900  # below the 998 of RFC 5322 §2.1.1, name and colon included

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:[ ][A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")
# "From " at a line's start is changed by mailbox files; white space at its end by gateways (RFC 2049 §3).
_FRAGILE = re.compile(r"^From |[ \t]$", re.M)
_NOT_PLAIN = re.compile(r"[^\t\n\x20-\x7e]")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def encode_words(text: str, used: int = 0, *, force: bool = False) -> bytes:
    """``text`` as a header value, folded at 76 octets; what is not ASCII as encoded words (RFC 2047).

    ``used`` octets already stand on the first line. ``force`` encodes ASCII, too.
    """
    text = strip_controls(text)
    if not force and text.isascii() and "=?" not in text and "  " not in text:
        words = text.split(" ")
        if max(map(len, words)) <= _LONGEST_RUN:
            return _fold([word.encode("ascii") for word in words], used)
    return b"\r\n ".join(_encoded_words(text, used))


def field(name: str, text: str) -> bytes:
    """A whole header field, folded, with its CRLF."""
    return _name(name) + encode_words(text, len(name) + 2) + b"\r\n"


def _is_short_mailbox(mailbox: Mailbox) -> bool:
    return is_short(mailbox.display + mailbox.address)


@cached_by_short(1024, _is_short_mailbox)
def format_mailbox(mailbox: Mailbox) -> bytes:
    """``Display <local@domain>`` (RFC 5322 §3.4). Raises ValueError for an address beyond ASCII."""
    address = writable(mailbox.address)
    display = " ".join(strip_controls(mailbox.display).split())
    if not display:
        return address
    if _ATOMS.match(display) and "=?" not in display and len(display) <= _WORD:
        return display.encode("ascii") + b" <" + address + b">"
    if display.isascii() and "=?" not in display and len(display) <= _WORD - 5:
        escaped = display.replace("\\", "\\\\").replace('"', '\\"')
        return b'"' + escaped.encode("ascii") + b'" <' + address + b">"
    return encode_words(display, LINE - _WORD, force=True) + b"\r\n <" + address + b">"


def writable(address: str) -> bytes:
    """The address in ASCII, with A-labels (RFC 5891) where needed. Raises ValueError."""
    local, at, domain = address.rpartition("@")
    bad = not (local.isascii() and local.isprintable() and domain.isprintable()) or len(address) > 320
    if bad or not at or not domain or any(c in " <>,;" for c in domain):
        raise ValueError("this address can't stand in a header")
    if not (len(local) > 2 and local[0] == local[-1] == '"') and (
        not local or any(c in ' <>,;:"()' for c in local)
    ):
        raise ValueError("this address can't stand in a header")
    return (
        local.encode("ascii") + b"@" + (domain.encode("ascii") if domain.isascii() else domain.encode("idna"))
    )


def address_field(name: str, mailboxes: Sequence[Mailbox]) -> bytes:
    """A whole field of addresses, folded at its commas; mailboxes that can't be written are left out.

    Empty where none is left: no field is better than one without an address (RFC 5322 §3.6.3).
    """
    written = []
    for mailbox in mailboxes:
        try:
            written.append(format_mailbox(mailbox))
        except ValueError:
            continue
    if not written:
        return b""
    out, line = _name(name), len(name) + 2
    for index, value in enumerate(written):
        comma = b"," if index < len(written) - 1 else b""
        first = value.partition(b"\r\n")[0]
        if index and line + 1 + len(first) + 1 > LINE:
            out, line = out + b"\r\n ", 1
        elif index:
            out, line = out + b" ", line + 1
        out += value + comma
        line = len(out) - (out.rfind(b"\r\n") + 2) if b"\r\n" in out else len(out)
    return out + b"\r\n"


def safe_subject(text: str, limit: int = 200) -> str:
    """``text`` on one line without controls, ``limit`` characters at most. An ellipsis shows where it was cut."""
    text = " ".join(strip_controls(text).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def message_id(left: str, host: str) -> str:
    """``<left@host>`` (RFC 5322 §3.6.4), without any character that can't stand there."""
    left, host = (_NOT_IN_ID.sub("", side).strip(".") for side in (left, host))
    return f"<{left or 'id'}@{host or 'localhost'}>"


def date_field(moment: datetime) -> str:
    """``moment`` as RFC 5322 §3.3 writes it, whatever the locale. Raises ValueError without a time zone.

    >>> from datetime import timezone
    >>> date_field(datetime(2026, 3, 1, 9, 5, 0, tzinfo=timezone.utc))
    'Sun, 01 Mar 2026 09:05:00 +0000'
    """
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("a date in mail needs its time zone")
    return _date_of(int(moment.timestamp() // 1), offset)


@lru_cache(maxsize=64)
def _date_of(second: int, offset: timedelta) -> str:
    """The date of a ``second`` since 1970; the messages of one second share it."""
    moment = datetime.fromtimestamp(second, UTC) + offset
    minutes = int(offset.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+"
    zone = f"{sign}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    day = f"{_DAYS[moment.weekday()]}, {moment.day:02} {_MONTHS[moment.month - 1]} {moment.year:04}"
    return f"{day} {moment.hour:02}:{moment.minute:02}:{moment.second:02} {zone}"


@cached_by_text(64)
def body_part(text: str) -> tuple[str, bytes]:
    """A text body: its Content-Transfer-Encoding and its octets, CRLF lines of at most 76, a CRLF at the end.

    ASCII that fits passes as ``7bit``, everything else as ``quoted-printable``.
    """
    text = _lines(text)
    if text.isascii() and not _NOT_PLAIN.search(text) and not _FRAGILE.search(text):
        lines = text.split("\n")
        if max(map(len, lines)) <= LINE:
            return "7bit", text.replace("\n", "\r\n").encode("ascii")
    return "quoted-printable", quoted_printable(text)


def quoted_printable(text: str) -> bytes:
    """``text`` as UTF-8 in quoted-printable (RFC 2045 §6.7): CRLF lines of at most 76, a CRLF at the end.

    Results can be put one behind the other: each ends its line.
    """
    data = _lines(text).encode("utf-8", "replace")
    # b2a_qp writes LF lines when it reads LF lines, and keeps a dot alone on its line from SMTP.
    coded = binascii.b2a_qp(data, quotetabs=False, istext=True)
    if coded.startswith(b"From ") or b"\nFrom " in coded:
        coded = _FROM_LINE.sub(b"=46rom ", coded)
        coded = b"\n".join(map(_rewrap, coded.split(b"\n")))
    return coded.replace(b"\n", b"\r\n")


_FROM_LINE = re.compile(rb"^From ", re.M)


def filename_params(filename: str) -> bytes:
    """The ``filename`` parameter, on lines of its own (RFC 2183, RFC 2231). They follow a Content-Disposition."""
    name = " ".join(strip_controls(filename).split()).replace("/", "-").replace("\\", "-")[:200] or "file"
    if name.isascii() and len(name) <= LINE - 14:
        return b';\r\n filename="' + name.replace('"', "'").encode("ascii") + b'"'
    coded = quote(name.encode("utf-8", "replace"), safe="!#$&+-.^_`{}|~").encode("ascii")
    if len(coded) <= LINE - 20:
        return b";\r\n filename*=utf-8''" + coded
    out, number, rest = b"", 0, coded
    while rest:
        cut = 50
        while cut < len(rest) and b"%" in rest[cut - 2 : cut]:
            cut -= 1  # a %XX stays whole
        out += b";\r\n filename*%d*=%s" % (number, b"utf-8''" if number == 0 else b"") + rest[:cut]
        rest, number = rest[cut:], number + 1
    return out


def _name(name: str) -> bytes:
    if not name.isascii() or not name.replace("-", "").isalnum():
        raise ValueError(f"{name!r} can't be the name of a header field")
    return name.encode("ascii") + b": "


def _lines(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.endswith("\n") or not text else text + "\n"


def _rewrap(line: bytes) -> bytes:
    return line if len(line) <= LINE else line[:70] + b"=\n" + line[70:]


def _fold(words: list[bytes], used: int) -> bytes:
    out = words[0]
    line = used + len(out)
    for word in words[1:]:
        if line + 1 + len(word) > LINE and word:
            out += b"\r\n " + word
            line = 1 + len(word)
        else:
            out += b" " + word
            line += 1 + len(word)
    return out


def _encoded_words(text: str, used: int) -> list[bytes]:
    """Encoded words of at most 75 octets (RFC 2047 §5). None cuts a character."""
    data_length = len(text.encode("utf-8", "replace"))
    mostly_ascii = sum(c.isascii() and (c.isalnum() or c == " ") for c in text) * 2 > data_length
    out: list[bytes] = []
    coded, room = b"", min(_WORD, max(LINE - used, 24)) - 12
    for char in text:
        octets = char.encode("utf-8", "replace")
        if mostly_ascii:
            piece = _q(octets)
            full = len(coded) + len(piece) > room
        else:
            piece = octets
            full = (len(coded) + len(piece) + 2) // 3 * 4 > room
        if full and coded:
            out.append(_word(coded, mostly_ascii))
            coded, room = b"", _WORD - 12
        coded += piece
    if coded:
        out.append(_word(coded, mostly_ascii))
    return out


def _word(coded: bytes, quoted: bool) -> bytes:
    if quoted:
        return b"=?utf-8?q?" + coded + b"?="
    return b"=?utf-8?b?" + binascii.b2a_base64(coded, newline=False) + b"?="


def _q(octets: bytes) -> bytes:
    # The set that may stand in a phrase, too (RFC 2047 §5, rule 3).
    if len(octets) == 1 and (chr(octets[0]).isalnum() or octets in (b"!", b"*", b"+", b"-", b"/")):
        return octets
    return b"_" if octets == b" " else b"".join(b"=%02X" % octet for octet in octets)
