"""Reading Content-* values: the type, its parameters, RFC 2231 continuations. Pure; never raises."""

from __future__ import annotations

import re
from binascii import a2b_base64, a2b_qp
from urllib.parse import unquote_to_bytes

from mailrouter.caching import cached_by_text
from mailrouter.message import bounds
from mailrouter.message.text.charsets import decode_charset

# Comments may stand before and between (RFC 2045 §5.1 takes the grammar of RFC 5322 §3.2.2).
_TOKEN = r"[!#$%&'*+.^_`{|}~0-9A-Za-z-]+"
_COMMENTS = r"\s*+(?:\([^()]*+\)\s*+)*+"
_TYPE = re.compile(rf"{_COMMENTS}({_TOKEN}+)\s*+/\s*+({_TOKEN}+)")
_ENCODING = re.compile(rf"{_COMMENTS}({_TOKEN}+)")
_PARAMETER = re.compile(r';\s*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]++|\\.)*+)"?+|([^;\s]*+))', re.S)
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(octet for octet in range(256) if octet not in _BASE64)
_ESCAPED = re.compile(r"\\(.)", re.S)
_SECTION = re.compile(r"([^*]++)(?:\*([0-9]{1,3}+))?+(\*)?+\Z")


@cached_by_text(4096)
def field_name(before: bytes) -> str:
    """The name in lower case, or ``""`` for none (RFC 5322 §2.2). White space before the colon is obsolete (§4.5)."""
    name = before.rstrip(b" \t")
    if not name or len(name) > bounds.FIELD_NAME or min(name) < 33 or max(name) > 126:
        return ""
    return name.decode("ascii").lower()


def field_values(block: bytes, name: bytes, lowered: bytes | None = None) -> list[bytes]:
    """The raw values of field ``name`` (lower case) in ``block``. Each line of the block follows a CRLF."""
    low = block.lower() if lowered is None else lowered
    needle, found, at = b"\r\n" + name, [], 0
    while (at := low.find(needle, at)) >= 0:
        at += len(needle)
        end = block.find(b"\r\n", at)
        while end >= 0 and block[end + 2 : end + 3] in (b" ", b"\t"):
            end = block.find(b"\r\n", end + 2)
        raw = block[at:end] if end >= 0 else block[at:]
        before, colon, value = raw.partition(b":")
        if colon and not before.strip(b" \t"):
            found.append(value)
    return found


def media_type(value: str) -> str:
    """``type/subtype`` in lower case, or ``""`` (RFC 2045 §5.1).

    >>> media_type(" Text/HTML; charset=utf-8")
    'text/html'
    """
    match = _TYPE.match(value[: bounds.STRUCTURED])
    return f"{match[1]}/{match[2]}".lower() if match else ""


def transfer_encoding(value: str) -> str:
    """The Content-Transfer-Encoding in lower case, without comments and whatever follows it; ``""``: none.

    >>> transfer_encoding(" Quoted-Printable; (by a gateway)")
    'quoted-printable'
    """
    match = _ENCODING.match(value[: bounds.STRUCTURED])
    return match[1].lower() if match else ""


def decoded(octets: bytes, encoding: str) -> bytes:
    """``octets`` without transfer encoding (RFC 2045 §6), as far as possible. They may be a part's beginning."""
    if encoding == "base64":
        letters = octets.translate(None, _NOT_BASE64)
        whole = len(letters) // 4 * 4
        rest = letters[whole:]  # an incomplete quantum; a single letter says nothing
        return a2b_base64(letters[:whole] + (rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""))
    return a2b_qp(octets) if encoding == "quoted-printable" else octets


def plain_parameters(value: str) -> dict[str, str]:
    """The parameters as written, names in lower case, quotes and escapes undone; the first of a name wins."""
    found: dict[str, str] = {}
    for match in _PARAMETER.finditer(value[: bounds.STRUCTURED]):
        if len(found) >= bounds.PARAMETERS:
            break
        quoted, bare = match[2], match[3]
        text = bare if quoted is None else _ESCAPED.sub(r"\1", quoted) if "\\" in quoted else quoted
        found.setdefault(match[1].lower(), text)
    return found


def parameter(value: str, name: str) -> str | None:
    """A parameter's text, joined and decoded (RFC 2231 §3, §4).

    >>> parameter("attachment; filename*0*=utf-8''caf%C3%A9; filename*1=.txt", "filename")
    'café.txt'
    """
    name = name.lower()
    written = plain_parameters(value)
    sections: dict[int, tuple[str, bool]] = {}
    for key, text in written.items():
        if key != name and key.startswith(name) and (match := _SECTION.match(key)) and match[1] == name:
            sections[int(match[2] or 0)] = (text, match[3] is not None)
    if not sections:
        return written.get(name)
    charset, joined = "utf-8", b""
    for number in sorted(sections):
        text, extended = sections[number]
        if extended:
            if number == min(sections) and text.count("'") >= 2:
                charset, _, text = text.split("'", 2)
            joined += unquote_to_bytes(text)
        else:
            joined += text.encode("utf-8", "replace")
    return decode_charset(joined, charset or "utf-8")
