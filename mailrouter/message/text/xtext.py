"""The encodings of addresses in delivery reports: xtext (RFC 3461 §4) and UTF-8 (RFC 6533 §3). Pure."""

from __future__ import annotations

import re

# RFC 3461 §4 wants upper case; gateways write lower case too, and Postfix takes it.
_HEX = re.compile(r"\+([0-9A-Fa-f]{2})")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-Fa-f]{2})++\Z")
_UNITEXT = re.compile(r"(?:[!-*,-<>-\[\]-~]|[^\x00-\x7f]|\\x\{[0-9A-Fa-f]{1,6}\})++\Z")
_TYPE = re.compile(r"[A-Za-z0-9-]{1,40}+")
_EMBEDDED = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")


def decode_xtext(value: str) -> str | None:
    """The text behind ``value``, or None. Only xtext of printable ASCII is decoded.

    A line end hidden in it would otherwise start a field of the sender's making.

    >>> decode_xtext("QQ314159+2B1")
    'QQ314159+1'
    """
    if not _XTEXT.match(value):
        return None
    text = _HEX.sub(lambda match: chr(int(match[1], 16)), value)
    return text if text.isascii() and text.isprintable() and text.strip() == text else None


def encode_xtext(text: str) -> str:
    """Printable ASCII as xtext.

    >>> encode_xtext("vp-hr+b=1@example.test")
    'vp-hr+2Bb+3D1@example.test'
    """
    if text.isalnum() and text.isascii():  # a queue id
        return text
    return "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c) & 0xFF:02X}" for c in text)


def decode_original_recipient(value: str) -> tuple[str, str] | None:
    """The address type and address in ORCPT (RFC 3461 §4.2). None where they can't be read.

    An address of type utf-8 (RFC 6533 §3) is given as it is meant, whichever of its three forms it has.
    """
    kind, semicolon, encoded = value.partition(";")
    if not semicolon or not _TYPE.fullmatch(kind):
        return None
    if kind.lower() != "utf-8":
        address = decode_xtext(encoded)
        return (kind.lower(), address) if address else None
    meant = decode_utf8_address(encoded if _UNITEXT.match(encoded) else decode_xtext(encoded) or "")
    return ("utf-8", meant) if meant.isprintable() and meant and meant.strip() == meant else None


def encode_utf8_address(address: str) -> str:
    """A UTF-8 address in 7 bits (RFC 6533 §3, utf-8-addr-xtext).

    >>> encode_utf8_address("jörg@example.test")
    'j\\\\x{F6}rg@example.test'
    """
    return "".join(c if "!" <= c <= "~" and c not in "\\+=" else f"\\x{{{ord(c):02X}}}" for c in address)


def decode_utf8_address(address: str) -> str:
    """``encode_utf8_address`` undone; what is no such escape stays."""
    return _EMBEDDED.sub(_character, address)


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else ""
