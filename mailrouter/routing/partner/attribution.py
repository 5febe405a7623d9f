"""Attribution lines above answered or forwarded mail, in common languages. Mail programs write them. Pure.

``On Monday, Jane wrote:``, Outlook's block of From, Sent and Subject, and ``-----Original Message-----``. A line with
a date, a time of day and an address in angle brackets that ends in a colon is one in any language.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_LONGEST = 700
"""Characters of an attribution, in one line. What is longer is text that somebody wrote."""
_MOST = 4
"""Lines into which an attribution may be broken."""
_WROTE = (
    *(("On", "wrote", 0), ("Am", "schrieb", 200), ("Le", "a écrit", 0), ("El", "escribió", 0)),
    *(("Op", "schreef", 200), ("Den", "skrev", 200), ("Il", "ha scritto", 0), ("Em", "escreveu", 0)),
    *(("A", "escreveu", 0), ("W dniu", "pisze", 0), ("W dniu", "napisał", 4), ("Dne", "napsal", 4)),
    *(("Dňa", "napísal", 4), ("Pe", "a scris", 0), ("În", "a scris", 0), ("Vào", "đã viết", 0)),
)
"""How it begins, the word that it ends in, and how many characters may follow that word."""
# Each is tried at the beginning of a line and never goes back over what it has read: a line costs its length.
_ITEM = re.compile(r"\s*+(?:[-*+•–·]|\d{1,3}+[.)])\s")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_TIME = re.compile(r"(?<!\d)\d{1,2}[:.h]\d\d(?!\d)")
_ADDRESS = re.compile(r"<[^<>\s]{1,300}@[^<>\s]{1,300}>")
_ORIGINAL = re.compile(
    r"\s*+-{3,}+\s*+(?:original message|ursprüngliche nachricht|message d'origine|message original|mensaje original"
    r"|mensagem original|messaggio originale|oorspronkelijk bericht|oprindelig meddelelse|opprinnelig melding"
    r"|ursprungligt meddelande|originalmeddelande|alkuperäinen viesti|wiadomość oryginalna|původní zpráva"
    r"|forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado|mensagem encaminhada"
    r"|messaggio inoltrato|doorgestuurd bericht|videresendt (?:meddelelse|melding)|vidarebefordrat meddelande"
    r"|välitetty viesti|wiadomość przekazana dalej|přeposlaná zpráva)\s*+-{3,}+\s*+\Z",
    re.I,
)


def _field(names: str, filled: str = r"(?:\s++|(?<=：))\S") -> re.Pattern[str]:
    """A line beginning with such a word and colon, perhaps in bold."""
    return re.compile(rf"\s*+\*?+(?:{'|'.join(names.split())})\*?+\s?+[:：]\*?+{filled}", re.I)


_FROM = _field("from von de da van fra från od lähettäjä feladó kimden от від από 发件人 寄件者 差出人")
_SENT = _field(
    "sent date gesendet datum envoyé enviado enviada fecha inviato data verzonden sendt dato skickat wysłano"
    " odesláno lähetetty päiväys elküldve tarih gönderildi отправлено дата надіслано ημερομηνία 发送时间 日期 送信日時"
)
_SUBJECT = _field(
    "subject betreff objet asunto assunto oggetto onderwerp emne ämne temat předmět aihe tárgy subiect konu"
    " тема θέμα 主题 主旨 件名",
    "",
)
_BLOCK = 7
"""Lines of a block of fields below its first."""


def _attributes(text: str) -> bool:
    """Whether ``text`` only says who wrote what follows: "On Monday, Jane wrote:". It is one line."""
    said = text.strip()
    if len(said) > _LONGEST or not said.endswith((":", "：")):
        return False
    said = said[:-1].rstrip()
    if any(said.startswith(begin) and _wrote(said, begin, word, more) for begin, word, more in _WROTE):
        return True
    return not _ITEM.match(text) and all(sign.search(said) for sign in (_YEAR, _TIME, _ADDRESS))


def _wrote(said: str, begin: str, word: str, more: int) -> bool:
    """Whether ``said`` ends in the word for writing. ``more`` characters may follow."""
    at = said.rfind(word)
    before, after = said[len(begin) : max(at, 0)], said[at + len(word) :]
    if not 4 <= len(before) <= 400 or len(after) > more:
        return False
    return not any(near.isalnum() or near == "_" for near in (before[0], before[-1], after[:1]))


def above_attribution(lines: Sequence[str], start: int) -> int:
    """The first line of the attribution, perhaps of several, above ``start``. ``start`` if there is none."""
    end = start
    while end and not lines[end - 1].strip():
        end -= 1
    said = ""
    for first in range(end - 1, max(-1, end - 1 - _MOST), -1):
        if len(lines[first]) > _LONGEST:
            break
        said = f"{lines[first].strip()} {said}"
        if _attributes(said):
            return first
    return start


def begins_mail(lines: Sequence[str], index: int) -> bool:
    """Whether the mail of somebody else begins at this line: a rule that says so, or a block of its fields."""
    return _ORIGINAL.match(lines[index]) is not None or _is_block(lines, index)


def _is_block(lines: Sequence[str], index: int) -> bool:
    """``From:``, ``Sent:`` and ``Subject:`` in lines that follow each other: Outlook's quoted mail."""
    if not _FROM.match(lines[index]):
        return False
    block: list[str] = []
    for line in lines[index + 1 : index + 1 + _BLOCK]:
        if not line.strip():
            break
        block.append(line)
    return any(map(_SENT.match, block)) and any(map(_SUBJECT.match, block))
