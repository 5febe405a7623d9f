"""Reading what header text means: encoded words (RFC 2047), charsets, controls. Pure; never raises.

Values are decoded for reading only; what is read here is never written back in place of the original.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, a2b_qp

from mailrouter.message import bounds
from mailrouter.message.text.charsets import decode_charset

_WORD = re.compile(
    r"=\?([A-Za-z0-9_.:+-]{1,40}+)(?:\*[A-Za-z0-9-]{0,20}+)?+\?([bBqQ])\?([^?\s]*+(?: [^?\s]*+)*+)\?="
)
MARKS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f"
)
"""Inside a class of an expression: what nobody sees, and what turns the direction of text; it can only mislead."""
_MARK = re.compile(f"[{MARKS}]++")
# Controls (Cc), line and paragraph separators, halves of characters.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]++")


def decode_words(text: str) -> str:
    """``text`` with its encoded words decoded; what can't be decoded stays as it was written.

    White space between two encoded words is not shown (RFC 2047 §6.2), and neighbours of one charset are
    joined before decoding, since senders split characters between them.

    >>> decode_words("=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?= au lait")
    'café au lait'
    """
    if "=?" not in text:
        return text
    out: list[str] = []
    pending: list[bytes] = []
    charset, last = "", 0
    for count, match in enumerate(_WORD.finditer(text)):
        if count >= bounds.ENCODED_WORDS:
            break
        data = _decode_word(match[2], match[3])
        if data is None:
            continue
        between = text[last : match.start()]
        adjacent = bool(charset) and (not between or between.isspace())
        if not (adjacent and match[1].lower() == charset):
            if charset:
                out.append(decode_charset(b"".join(pending), charset))
            pending = []
        if not adjacent:
            out.append(between)
        charset, last = match[1].lower(), match.end()
        pending.append(data)
    if charset:
        out.append(decode_charset(b"".join(pending), charset))
    out.append(text[last:])
    return "".join(out)


def strip_controls(text: str) -> str:
    """``text`` stripped, without controls and ``MARKS``. Each run of controls becomes one space."""
    if not (
        text.isascii() and text.isprintable()
    ):  # C, and true of nearly everything; some marks are printable
        text = _CONTROL.sub(" ", _MARK.sub("", text))
    return text.strip()


def unfold(raw: bytes) -> bytes:
    """A raw field value on one line (RFC 5322 §2.2.3)."""
    return raw.replace(b"\r\n", b"") if b"\r\n" in raw else raw


def _decode_word(encoding: str, text: str) -> bytes | None:
    data = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return a2b_qp(data, header=True)
    data = data.replace(b" ", b"").rstrip(b"=")
    try:
        return a2b_base64(data + b"=" * (-len(data) % 4))
    except (Error, ValueError):
        return None
