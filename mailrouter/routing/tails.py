"""Cutting off what stands below a mail that somebody wrote: signature, quoted mail, footers. Pure.

Conservative: a line too many in a handoff is read over, a line too few is missed.
"""

from __future__ import annotations

import re

from mailrouter.routing.sections import read_sections

_MAX_SIGNATURE = 15
"""Lines of a signature whose ``--`` has lost its space on the way."""
_ATTRIBUTION_LINES = 4
_LONGEST_ATTRIBUTION = 700
"""Characters of ``On Monday, Jane wrote:``, in one line. What is longer is text that somebody wrote."""
_LONGEST_FOOTER = 400
"""Characters of a footer's line that are looked at."""

# Each of these is tried at the beginning of a line and never goes back over what it has read: a line costs its length.
_ORIGINAL = re.compile(
    r"\s*+-{3,}+\s*+(?:original message|ursprüngliche nachricht|message d'origine|mensaje original"
    r"|forwarded message|weitergeleitete nachricht"
    r"|message transféré|mensaje reenviado|messaggio inoltrato|doorgestuurd bericht)\s*+-{3,}+\s*+\Z",
    re.I,
)
_ATTRIBUTIONS = (("On", "wrote", 0), ("Am", "schrieb", 200), ("Le", "a écrit", 0), ("El", "escribió", 0))
"""How it begins, the word that it ends in, and how many characters may follow that word."""
_AT_ITS_END = (*(word for _, word, more in _ATTRIBUTIONS if not more), ">")
_SCHRIEB = re.compile(r"schrieb\b")
_FROM = re.compile(r"\s*+\*?+(?:From|Von|De)\s?+:\*?+\s++\S")
_SENT = re.compile(r"\s*+\*?+(?:Sent|Date|Gesendet|Datum|Envoyé|Enviado)\s?+:\*?+\s++\S")
_SUBJECT = re.compile(r"\s*+\*?+(?:Subject|Betreff|Objet|Asunto)\s?+:\*?+")
_RULE = re.compile(r"\s*+[_-]{10,}+\s*+\Z")
_MOBILE = re.compile(
    r"\s*+(?:Sent from (?:my|Mail for|Outlook|Yahoo|Proton|Gmail)\b|Get Outlook for\b|Sent with \S++ Mail"
    r"|Von meinem \S++(?: (?!gesendet)\S++)?+ gesendet|Gesendet (?:von|mit) (?:meinem|der|Outlook)\b"
    r"|Envoyé de mon\b).{0,80}+\Z"
)
_FOOTER = re.compile(
    r"mailing list|unsubscribe|to post to this group|virus[- ]?+free|checked for viruses", re.I
)
_FORWARDED = re.compile(
    r"\s*+(?:fwd?|fw|wg|tr|rv|vl|vb|enc|ilt|i\u0307lt|pd|doorst|vidarebefordrat|videresendt|\u8f6c\u53d1|\u8f49\u5bc4|\u8ee2\u9001)"
    r"\s?+[:\uff1a]",
    re.I,
)
"""What mail programs put before the Subject of a mail that is forwarded."""


def without_tails(text: str) -> str:
    """``text`` without what was added below it. Lines that stand between others stay, quoted or not."""
    lines = text.split("\n")
    lines = lines[: _quoted_from(lines)]
    lines = lines[: _signature_from(lines)]
    lines = lines[: _footer_from(lines)]
    return "\n".join(lines).strip("\n")


def forwarded(subject: str) -> bool:
    """Whether a Subject says, in whatever language, that the mail was forwarded."""
    return bool(_FORWARDED.match(subject[:100]))


def quotes(text: str) -> bool:
    """Whether mail of somebody else stands below: one that is answered, or forwarded."""
    lines = text.split("\n")
    return _quoted_from(lines) < len(lines)


def attributes(text: str) -> bool:
    """Whether ``text``, in one line, only says who wrote what is quoted below it: "On Monday, Jane wrote:"."""
    said = text.rstrip()
    if len(said) > _LONGEST_ATTRIBUTION or not said.endswith(":"):
        return False
    said = said[:-1].rstrip()
    return any(
        said.startswith(begin) and _wrote(said, begin, word, more) for begin, word, more in _ATTRIBUTIONS
    )


def _wrote(said: str, begin: str, word: str, more: int) -> bool:
    """Whether ``said`` ends in the word for writing, of which ``more`` characters may follow."""
    at = said.rfind(word)
    before, after = said[len(begin) : max(at, 0)], said[at + len(word) :]
    if not 4 <= len(before) <= 400 or len(after) > more:
        return False
    return not any(near.isalnum() or near == "_" for near in (before[0], before[-1], after[:1]))


def _quoted_from(lines: list[str]) -> int:
    """Where the mail that is answered begins."""
    for index, line in enumerate(lines):
        if _ORIGINAL.match(line) or _is_header_block(lines, index):
            return _above_rule(lines, index)
    end = _trimmed(lines, len(lines))
    start = end
    while start and (lines[start - 1].startswith(">") or not lines[start - 1].strip()):
        start -= 1
    if not any(line.startswith(">") for line in lines[start:end]):
        return len(lines)
    return _above_attribution(lines, start)


def _above_attribution(lines: list[str], start: int) -> int:
    """Above ``On Monday, Jane wrote:``, which may be broken into several lines, if it stands there."""
    end = _trimmed(lines, start)
    if not end or not _ends_attribution(lines[end - 1]):
        return start
    said = ""
    for first in range(end - 1, max(-1, end - 1 - _ATTRIBUTION_LINES), -1):
        if len(lines[first]) > _LONGEST_ATTRIBUTION:
            return start
        said = f"{lines[first].strip()} {said}"
        if attributes(said):
            return first
    return start


def _ends_attribution(line: str) -> bool:
    said = line.rstrip()
    if len(said) > _LONGEST_ATTRIBUTION or not said.endswith(":"):
        return False
    said = said[:-1].rstrip()
    return said.endswith(_AT_ITS_END) or _SCHRIEB.search(said) is not None


def _is_header_block(lines: list[str], index: int) -> bool:
    """``From:``, ``Sent:`` and ``Subject:`` in lines that follow each other: Outlook's quoted mail."""
    if not _FROM.match(lines[index]):
        return False
    block: list[str] = []
    for line in lines[index + 1 : index + 8]:
        if not line.strip():
            break
        block.append(line)
    return any(map(_SENT.match, block)) and any(map(_SUBJECT.match, block))


def _above_rule(lines: list[str], index: int) -> int:
    end = _trimmed(lines, index)
    return end - 1 if end and _RULE.match(lines[end - 1]) else index


def _signature_from(lines: list[str]) -> int:
    """RFC 3676 §4.3: ``-- `` alone on a line. Many programs take away the space."""
    filled = 0
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index]
        if line == "-- " or (
            line == "--" and filled <= _MAX_SIGNATURE and not _has_sections(lines[index + 1 :])
        ):
            return index
        filled += bool(line.strip())
    return len(lines)


def _has_sections(lines: list[str]) -> bool:
    found = read_sections("\n".join(lines))
    return bool(found.done or found.left or found.watch)


def _footer_from(lines: list[str]) -> int:
    """A phone's advertisement, a list's or a virus scanner's lines below a rule; each only at the very end."""
    end = _trimmed(lines, len(lines))
    for index in range(end - 1, max(-1, end - 1 - _MAX_SIGNATURE), -1):
        if _RULE.match(lines[index]) and any(map(_is_footer, lines[index + 1 : end])):
            end = _trimmed(lines, index)
            break
    if end and _MOBILE.match(lines[end - 1]):
        end = _trimmed(lines, end - 1)
    return end


def _is_footer(line: str) -> bool:
    return _FOOTER.search(line[:_LONGEST_FOOTER]) is not None


def _trimmed(lines: list[str], end: int) -> int:
    """``end`` without the empty lines before it."""
    while end and not lines[end - 1].strip():
        end -= 1
    return end
