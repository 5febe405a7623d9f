"""Whether an answer to our question says yes. Pure.

A mailbox answers by itself as well: somebody is away, a ticket was opened. Most such answers say that a program sent
them (RFC 3834 §5), some do not, and they quote what they answer. So a confirmation has to say what nobody writes into
such an answer: a line of its own, the first that was written, that is "yes" and little else.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from unicodedata import normalize

from mailrouter.message.head import Head
from mailrouter.routing.partner.attribution import above_attribution
from mailrouter.routing.partner.handoff_text import Written

_YES_WORDS = (
    "yes yep yeah yup ok okay oké okej confirm confirmed ja jawohl jo joo jup oui si sí sì sim kyllä tak ano igen evet"
    " да так ναι はい 是 是的 네 예 bestätigt confirmé confermo confermato confirmo confirmado bevestigd akkoord"
    " bekræftet bekreftet bekräftat vahvistan potwierdzam potwierdzone potvrzuji"
)
_BESIDE_WORDS = (
    "i do did it it's it’s is this that that's that’s was mine me my from by please thanks thank you"
    " ich das war ist es von mir bin bitte danke stimmt c'est c’est bien moi de merci d'accord d’accord"
    " soy yo mío he sido fui sono io è mio stato eu sou meu gracias grazie obrigado obrigada"
    " dat ben ik klopt mij bedankt dank je wel det er är var mig meg jag jeg tack takk tak mange minä se olen kiitos"
    " to ja jestem moje dziękuję jsem já díky děkuji ez én voltam köszönöm benim это я был была моё спасибо"
)
"""What people put beside it: "Yes, that was me", "I confirm it, thanks", "Ja, das ist von mir"."""
_YES = frozenset(_YES_WORDS.split())
_BESIDE = frozenset(_BESIDE_WORDS.split())
_CONFIRMING = (
    *(["i", "confirm"], ["je", "confirme"], ["ich", "bestätige"], ["ik", "bevestig"], ["lo", "confermo"]),
    *(
        ["jeg", "bekræfter"],
        ["jeg", "bekrefter"],
        ["jag", "bekräftar"],
        ["lo", "confirmo"],
        ["eu", "confirmo"],
    ),
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_MOST_WORDS = 8
_LONGEST = 200
"""Characters of a line, or a Subject, that says yes; a longer one isn't looked at."""
_WARNING = re.compile(
    r"[\W_]*+(?:caution|warning|attention|external|extern(?:e[rs]?)?|externo|esterno|achtung|vorsicht|warnung|hinweis"
    r"|let op|waarschuwing|avertissement|atención|atenção|aviso|attenzione|avviso|advarsel|varning|obs|uwaga|varoitus"
    r"|you don['’]t often get (?:e-?)?mail from"
    r"|this (?:e-?mail|mail|message) (?:was sent|came|originated|is) from outside)"
    r"(?=[\W_]|\Z)",
    re.I,
)
_OF_MAIL = re.compile(
    r"outside|external|externe?[rnms]?\b|extern[oa]\b|esterno|extérieur|ausserhalb|außerhalb|buiten|udefra|utanför"
    r"|utenfra|fuera|fora\b|fuori|links?\b|attachments?|anhänge|sender|absender|zewn|ulkopuol|often get",
    re.I,
)
_MOST_BANNER = 6
"""Lines of a gateway's warning, up to an empty one."""
_MOST_BANNERS = 2


def says_yes(head: Head, body: Written | None, names: Collection[str] = ()) -> bool:
    """Whether the answer confirms; ``names`` may stand beside the yes. ``body`` is the text of the mail
    (``contents.Contents.body``), None where the mail is too large to be read.

    What counts is the first line that isn't quoted, or the first below the last quoted one; the Subject where
    nothing is written.
    """
    if body is None:
        return False
    if body.problem:
        return body.empty and _is_yes(head.text("subject") or "", names)
    lines = body.text.split("\n")
    quoted = [index for index, line in enumerate(lines) if line.startswith(">")]
    if not quoted:
        return _first_is_yes(lines, names)
    above, below = lines[: quoted[0]], lines[quoted[-1] + 1 :]
    return _first_is_yes(above, names) or (not _written(above) and _first_is_yes(below, names))


def _written(lines: list[str]) -> bool:
    """Whether anything stands there but "On Monday, the role wrote:"."""
    return any(line.strip() for line in lines[: above_attribution(lines, len(lines))])


def _first_is_yes(lines: list[str], names: Collection[str]) -> bool:
    """Whether the first line says yes, below any gateway's banner. A gateway puts a banner above mail from outside."""
    stanzas: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            stanzas[-1].append(line)
        elif stanzas[-1]:
            if len(stanzas) > _MOST_BANNERS:
                break
            stanzas.append([])
    for stanza in stanzas:
        if not _is_banner(stanza):
            return bool(stanza) and _is_yes(stanza[0], names)
        if any(_is_yes(line, names) for line in stanza[1:]):
            return True
    return False


def _is_banner(stanza: list[str]) -> bool:
    """Whether lines are a gateway's warning about outside mail."""
    if not stanza or len(stanza) > _MOST_BANNER or not _WARNING.match(stanza[0][:_LONGEST]):
        return False
    return any(_OF_MAIL.search(line[:_LONGEST]) for line in stanza)


def _is_yes(line: str, names: Collection[str]) -> bool:
    if len(line) > _LONGEST:
        return False
    words = _WORD.findall(normalize("NFC", line).casefold())
    if words[:2] in _CONFIRMING:
        words = ["confirm", *words[2:]]
    if not words or len(words) > _MOST_WORDS or words[0] not in _YES or "?" in line:
        return False
    known = {word for name in names for word in _WORD.findall(name.casefold())}
    return all(word in _YES or word in _BESIDE or word in known for word in words[1:])
