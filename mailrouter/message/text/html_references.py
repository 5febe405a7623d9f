"""Character references of HTML (``&auml;``, ``&#228;``) as what they stand for. Pure; never raises.

The standard library's ``html.unescape`` is not used: it makes a number of as many digits as stand there, and raises
where they are more than 4,300.
"""

from __future__ import annotations

import re
from html.entities import html5

from mailrouter.message.text.charsets import decode_charset

_REFERENCE = re.compile(r"&(?:#(?:([0-9]++)|[xX]([0-9a-fA-F]++))|([A-Za-z][A-Za-z0-9]{1,31}+))(;?+)")
_LONGEST_BARE = max(len(name) for name in html5 if not name.endswith(";"))
_MAX_DIGITS = 7  # of 0x10FFFF, in decimal
_UNKNOWN = "\ufffd"


def without_references(text: str) -> str:
    """``text`` with each reference replaced; what is none stays as it was written.

    >>> without_references("Gr&uuml;&szlig;e &amp; &#8364;&#x2026; R&D")
    'Grüße & €… R&D'
    """
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    decimal, hexadecimal, name, semicolon = match.groups()
    if name is None:
        digits = (decimal or hexadecimal).lstrip("0")
        if len(digits) > _MAX_DIGITS:
            return _UNKNOWN
        return _numbered(int(digits or "0", 10 if decimal else 16))
    if semicolon and (known := html5.get(name + ";")) is not None:
        return known
    # Some older names need no semicolon; the longest one that the word begins with counts.
    for size in range(min(len(name), _LONGEST_BARE), 1, -1):
        if (known := html5.get(name[:size])) is not None:
            return known + name[size:] + semicolon
    return match[0]


def _numbered(number: int) -> str:
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF or number == 0:
        return _UNKNOWN
    if 0x80 <= number < 0xA0:  # the standard reads these as windows-1252
        return decode_charset(bytes((number,)), "windows-1252")
    return chr(number)
