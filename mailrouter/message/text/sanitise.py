"""Removing partners' whereabouts from a remote server's words. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

GONE = "[...]"
"""What stands where something was taken out: no letter, so that it can't spell what was taken."""
MAX_TEXT = 4_000
"""Characters that are read; the rest is left out."""

_LINK = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s<>\"]+", re.I)
# Written with @, or as programs write addresses inside addresses: %40, +40 (xtext), = (VERP, SRS).
_ADDRESS = re.compile(r"[^\s<>(),;:\"\[\]]{0,200}(?:@|%40|\+40)[^\s<>(),;\"]{0,255}", re.I)
_QUOTED = re.compile(r'"[^"\n]{1,100}"@[^\s<>(),;"]{0,255}')
_IP = re.compile(
    r"\[?(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])\]?"
    r"|\[?(?:IPv6:)?(?<![0-9A-Fa-f:.])(?:[0-9A-Fa-f]{1,4}:|::)"
    r"(?:[0-9A-Fa-f]{0,4}:){1,7}[0-9A-Fa-f]{0,4}\]?",
    re.I,
)
_HOST = re.compile(r"(?<![^\W_])(?:[\w-]{1,63}\.){1,10}[^\W\d_][\w-]{1,62}\.?(?![\w-])")
_SEVERAL = re.compile(r"\[\.\.\.\](?:[\s,;=]*\[\.\.\.\])+")


def without_addresses(text: str, private: Iterable[str]) -> str:
    """``text`` without addresses, hosts, links, IP numbers and ``private`` words.

    An entry of ``private`` is an address (its local part and its domain may not be told apart from it either)
    or a name or a host, of which no word may be told; the case does not matter. Whatever is taken out leaves
    ``[...]``.

    >>> without_addresses("550 5.1.1 <laurie@mail.test>: no such user Laurie here", ["laurie@mail.test"])
    '550 5.1.1 <[...]>: no such user [...] here'
    """
    text = unicodedata.normalize("NFC", text[:MAX_TEXT])
    for pattern in (_LINK, _QUOTED, _ADDRESS, _IP, _HOST):
        text = pattern.sub(GONE, text)
    for secret in sorted(_secrets(private), key=len, reverse=True):
        text = _pattern(secret).sub(GONE, text)
    return _SEVERAL.sub(GONE, text)


def _secrets(private: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for entry in private:
        entry = entry.strip().strip("<>")
        local, at, domain = entry.rpartition("@")
        if at:
            found |= {entry, local.strip('"'), local.partition("+")[0].strip('"'), domain}
        else:
            found |= {entry, *entry.split()}
    found = {unicodedata.normalize("NFC", secret) for secret in found}
    return {written for secret in found for written in (secret, _without_accents(secret)) if written}


def _without_accents(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


def _pattern(secret: str) -> re.Pattern[str]:
    """An expression for a private word.

    A long word is found inside others, too (VERP, SRS, a host's label); a short one only for itself.
    """
    written = re.escape(secret)
    return re.compile(written if len(secret) >= 4 else rf"(?<![^\W_]){written}(?![^\W_])", re.I)
