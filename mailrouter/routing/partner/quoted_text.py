"""Cutting off what stands below a mail that somebody wrote: signature, quoted mail, footers. Pure.

Conservative: a line too many in a handoff is read over, a line too few is missed.
"""

from __future__ import annotations

import re

from mailrouter.routing.partner.attribution import above_attribution, begins_mail
from mailrouter.routing.partner.sections import read_sections

_MAX_SIGNATURE = 15
"""Lines of a signature whose ``--`` has lost its space on the way."""
_LONGEST_FOOTER = 400
"""Characters of a footer's line that are looked at."""

# Each of these is tried at the beginning of a line and never goes back over what it has read: a line costs its length.
_RULE = re.compile(r"\s*+[_-]{10,}+\s*+\Z")
_MOBILE = re.compile(
    r"\s*+(?:Sent from (?:my|Mail for|Outlook|Yahoo|Proton|Gmail)\b|Get Outlook for\b|Sent with \S++ Mail"
    r"|Sent via (?:BlackBerry|the Samsung|my (?:phone|iPhone|mobile))\b"
    r"|Von meinem \S++(?: (?!gesendet)\S++)?+ gesendet|Gesendet (?:von|mit) (?:meine[mr]|der|Outlook|Mail für)\b"
    r"|Envoyé (?:de(?:puis)? mon|(?:à partir de|depuis|avec) (?:Outlook|Mail|Courrier|Yahoo))\b"
    r"|Enviado (?:desde|do|a partir d[eo]) m[ie]u?\b|(?:Télécharger Outlook pour|Obtener Outlook para)\b"
    r"|(?:Obter o Outlook para|Inviato da Outlook|Scarica Outlook per)\b|Inviato da(?:l mio)?+ iPhone"
    r"|Inviato da(?:l mio)?+ iPad|(?:Verzonden|Verstuurd) (?:vanaf|met) mijn\b|Download Outlook voor\b"
    r"|Sendt fra (?:min|Outlook)\b|Hent Outlook (?:til|for)\b|Skickat från min\b|Hämta Outlook för\b"
    r"|Lähetetty (?:iPhone|iPad)|Wysłane z (?:iPhone|iPad|mojego)|Odesláno z (?:iPhon|iPad|mého))"
    r".{0,80}+\Z"
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


def without_sure_tails(text: str, *, answers: bool) -> str:
    """The text without the tails that certainly aren't the writer's.

    What may be their own stays: sections below ``-- ``, and lines that a person quoted.

    Such lines end the text, nothing above them says who wrote them, and the mail ``answers`` no other, or the line
    above them introduces them.
    """
    lines = text.split("\n")
    start = _quoted_from(lines)
    if not _quoted_by_hand(lines, start, answers):
        lines = lines[:start]
    start = _signature_from(lines)
    if not _has_sections(lines[start + 1 :]):
        lines = lines[:start]
    lines = lines[: _footer_from(lines)]
    return "\n".join(lines).strip("\n")


def _quoted_by_hand(lines: list[str], start: int, answers: bool) -> bool:
    """Whether the lines from ``start`` are quoted by a person. No program has put who wrote them."""
    if start >= len(lines) or (lines[start].strip() and not lines[start].startswith(">")):
        return False
    above = _trimmed(lines, start)
    return bool(above) and (not answers or lines[above - 1].rstrip().endswith(":"))


def forwarded(subject: str) -> bool:
    """Whether a Subject says, in whatever language, that the mail was forwarded."""
    return bool(_FORWARDED.match(subject[:100]))


def quotes(text: str) -> bool:
    """Whether mail of somebody else stands below: one that is answered, or forwarded."""
    lines = text.split("\n")
    return _quoted_from(lines) < len(lines)


def _quoted_from(lines: list[str]) -> int:
    """The line where the answered mail begins."""
    for index in range(len(lines)):
        if begins_mail(lines, index):
            return _above_rule(lines, index)
    end = _trimmed(lines, len(lines))
    start = end
    while start and (lines[start - 1].startswith(">") or not lines[start - 1].strip()):
        start -= 1
    if not any(line.startswith(">") for line in lines[start:end]):
        return len(lines)
    return above_attribution(lines, start)


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
    """The start of an advertisement or list footer at the very end.

    It is a phone's, or a list's or a virus scanner's lines below a rule.
    """
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
