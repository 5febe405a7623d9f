"""Out-of-office mails known by their words alone, in many languages. Pure.

The phrases are those of the programs' own translations, as public collections of such subjects have them: Exchange and
Outlook ("Automatic reply" and before 2010 "Out of Office AutoReply"), Lotus Notes ("AUTO: … is out of the office"), the
web mail of GMX, web.de, T-Online, QQ, 163.com, Naver and Mail.ru, vacation scripts (Sieve, cPanel, Plesk). Collections:
freescout-help-desk/freescout (issues 513, 2488), zammad/zammad (postmaster filters), sisimai/rb-sisimai (its
``ARF``/``Vacation`` readers), osTicket/osTicket (issue 5320), discourse/discourse (``email/receiver``).
"""

from __future__ import annotations

import re
import unicodedata

_SUBJECTS = {
    "English": (
        "automatic reply, auto reply, auto-reply, autoreply, automated reply, automatic response, auto response, "
        "auto-response, autoresponse, automated response, auto responder, autoresponder, automatic answer, "
        "out of office, out of the office, out-of-office, out of office autoreply, out of office auto-reply, "
        "out of office reply, out of office message, out of office response, out of office notification, "
        "out of office notice, out of office assistant, vacation reply, vacation response, vacation message, "
        "vacation notice, away message, away from my mail, away from office, absence notice, yahoo! auto response"
    ),
    "German": (
        "automatische antwort, automatische rückantwort, automatische beantwortung, automatische nachricht, "
        "autom. antwort, autoantwort, auto-antwort, abwesenheitsnotiz, abwesenheitsnachricht, "
        "abwesenheitsmeldung, abwesenheitsassistent, abwesenheitsmitteilung, abwesend, außer haus, nicht im haus, "
        "nicht im büro, urlaubsbenachrichtigung, urlaubsmeldung, eingangsbestätigung (automatisch)"
    ),
    "French": (
        "réponse automatique, réponse automatisée, message automatique, absence du bureau, absent du bureau, "
        "absente du bureau, absent(e) du bureau, message d'absence, notification d'absence, avis d'absence, "
        "en dehors du bureau, hors du bureau"
    ),
    "Spanish": (
        "respuesta automática, contestación automática, mensaje automático, fuera de oficina, fuera de la oficina, "
        "ausente de la oficina, respuesta de ausencia, aviso de ausencia"
    ),
    "Portuguese": (
        "resposta automática, mensagem automática, fora do escritório, ausência temporária, ausente do escritório, "
        "aviso de ausência, fora de escritório"
    ),
    "Italian": (
        "risposta automatica, risponditore automatico, messaggio automatico, fuori sede, fuori ufficio, "
        "assenza dall'ufficio, avviso di assenza"
    ),
    "Catalan, Galician, Basque": "resposta automàtica, fora de l'oficina, erantzun automatikoa",
    "Dutch": (
        "automatisch antwoord, automatische reactie, automatische antwoord, autom. antwoord, afwezig, "
        "afwezigheidsbericht, afwezigheidsmelding, niet aanwezig, niet op kantoor, buiten kantoor"
    ),
    "Danish": (
        "automatisk svar, autosvar, auto-svar, automatisk besked, ikke til stede, fraværsbesked, "
        "fraværsmeddelelse, ikke på kontoret"
    ),
    "Norwegian": "automatisk svar, autosvar, ikke til stede, fraværsmelding, fraværende, ikke på kontoret",
    "Swedish": (
        "automatiskt svar, autosvar, automatiskt meddelande, frånvaromeddelande, frånvarande, "
        "frånvaroassistenten, ej på kontoret, inte på kontoret"
    ),
    "Icelandic": "sjálfvirkt svar",
    "Finnish": "automaattinen vastaus, automaattivastaus, poissa, poissaoloilmoitus, poissa toimistosta",
    "Estonian": "automaatvastus, automaatne vastus, kontorist väljas",
    "Latvian": "automātiskā atbilde, automātiska atbilde, ārpus biroja",
    "Lithuanian": "automatinis atsakymas, automatinis atsakas, ne biure",
    "Polish": (
        "automatyczna odpowiedź, odpowiedź automatyczna, autoodpowiedź, autoresponder, poza biurem, nieobecny, "
        "nieobecność w biurze, informacja o nieobecności"
    ),
    "Czech": "automatická odpověď, mimo kancelář, odpověď v nepřítomnosti, nepřítomen",
    "Slovak": "automatická odpoveď, mimo kancelárie, odpoveď v neprítomnosti",
    "Hungarian": "automatikus válasz, automatikus üzenet, házon kívül, irodán kívül, távolléti üzenet",
    "Romanian": "răspuns automat, în afara biroului, absent de la birou",
    "Slovenian": "samodejni odgovor, avtomatski odgovor, zunaj pisarne",
    "Croatian, Bosnian, Serbian": (
        "automatski odgovor, automatski odziv, izvan ureda, van kancelarije, аутоматски одговор, одсутан"
    ),
    "Bulgarian": "автоматичен отговор, извън офиса",
    "Russian": "автоматический ответ, автоответ, автоответчик, вне офиса, нет на работе, нет на месте",
    "Ukrainian": "автоматична відповідь, автовідповідь, поза офісом",
    "Greek": "αυτόματη απάντηση, εκτός γραφείου",
    "Turkish": "otomatik yanıt, otomatik cevap, ofis dışında, iş yeri dışında, işyeri dışında",
    "Hebrew": "מענה אוטומטי, תשובה אוטומטית, מחוץ למשרד",
    "Arabic, Persian": "رد تلقائي, الرد التلقائي, خارج المكتب, پاسخ خودکار",
    "Thai": "ตอบกลับอัตโนมัติ, การตอบกลับอัตโนมัติ",
    "Vietnamese": "trả lời tự động, thư trả lời tự động",
    "Indonesian, Malay": "balasan otomatis, jawaban otomatis, balasan automatik, di luar kantor",
    "Chinese": "自动答复, 自动回复, 自動回覆, 自動答覆, 自動回應, 不在办公室, 外出自动回复, 休假自动回复",
    "Japanese": "自動応答, 自動返信, 自動回答, 不在通知, 不在連絡, 不在応答, 不在メール",
    "Korean": "자동 회신, 자동회신, 자동 응답, 자동응답, 자동 답장, 부재 중, 부재중, 부재중 자동 응답",
}
"""What stands before the colon of such a subject, or in brackets, or is all of it. Left out is what people write so as
well, to an office that keeps absences: "Abwesenheit: …", "Frånvaro: …", "OOO: …"."""

_BODIES = {
    "English": (
        "out of (?:the |my )?office, out-of-office, i(?:'m| am| will be|'ll be) (?:currently )?(?:away|on (?:vacation"
        "|holiday|leave|annual leave)), on (?:annual|parental|maternity|sick) leave, "
        "limited access to (?:e-?mail|my mail), away from my (?:desk|mail), auto(?:matic)?[- ]?(?:reply|response)"
    ),
    "German": (
        "abwesend, nicht im (?:büro|hause), außer haus, im urlaub, nicht erreichbar, automatische antwort, "
        "bin ich nicht da"
    ),
    "French": "absente? (?:du|jusqu|de mon), en congés?, en vacances, réponse automatique, hors du bureau",
    "Spanish": "fuera de la oficina, estar[ée] ausente, de vacaciones, respuesta automática, estoy fuera",
    "Portuguese": "fora do escrit, estarei ausente, de férias, resposta automática, estou ausente",
    "Italian": "fuori (?:ufficio|sede), sono assente, sarò assente, in ferie, risposta automatica",
    "Dutch": "afwezig, niet aanwezig, buiten kantoor, met vakantie, op vakantie, met verlof, automatisch antwoord",
    "Danish, Norwegian": "ikke på kontoret, ikke til stede, fraværende, på ferie, holder ferie, automatisk svar",
    "Swedish": "inte på kontoret, inte på plats, frånvarande, på semester, tjänstledig, automatiskt svar",
    "Finnish": "poissa toimistosta, olen poissa, lomalla, automaattinen vastaus",
    "Polish": "nieobecn, poza biurem, na urlopie, automatyczna odpowiedź",
    "Czech, Slovak": "mimo kancelář, nepřítom, na dovolené, neprítom, na dovolenke, automatická odpov",
    "Hungarian": "szabadságon, házon kívül, nem vagyok elérhető, automatikus válasz",
    "Romanian": "în concediu, răspuns automat, nu sunt la birou",
    "Russian, Ukrainian": "отсутств, в отпуске, вне офиса, автоматический ответ, у відпустці, відсутн",
    "Greek": "εκτός γραφείου, σε άδεια, αυτόματη απάντηση",
    "Turkish": "ofis dışında, izindeyim, izinde olaca, tatildeyim, otomatik yanıt",
    "Chinese": "不在办公室, 不在辦公室, 休假, 外出, 出差, 自动回复, 自動回覆",
    "Japanese": "不在, 休暇, 出張, 自動返信, 自動応答, 外出して",
    "Korean": "부재, 휴가, 출장, 자동 회신, 자동 응답",
}
"""What such a mail says of its writer, as expressions. People write this too: it counts only beside another sign."""

_MOST = 200
"""Characters of a subject that are looked at: a program writes its words before the original's."""
_MOST_TAGS = 4
# What gateways put before a subject: [External], ***SPAM***, {Spam?}, <EXT>, EXTERNAL:, and the like.
_BRACKETED = re.compile(r"[\[({<【]([^\[\](){}<>【】]{1,40}+)[\])}>】]\s*+:?\s*+")
_STARRED = re.compile(r"[*#=_]{2,9}+\s*+[^*#=_]{1,40}+[*#=_]{2,9}+\s*+:?\s*+")
_WORDED = re.compile(
    r"(?:external|extern|externe|externo|externa|esterno|ext|spam|suspected spam|possible spam|caution|warning)"
    r"(?: e-?mail| mail| message| sender)?\s*+:\s*+"
)
_QUOTED_NOTES = re.compile(
    r"auto: .{1,120}?(?:out of the office|\([^()]{0,60}[0-9][^()]{0,60}\)\s*\Z)"
    r"|[^:]{2,60}? is out of the office(?:\.\s*\Z|\.?\s*\(returning [^()]{0,30}[0-9])"
)


def _folded(text: str) -> str:
    """Text as it is compared: no case, no accents, single spaces, half-width signs."""
    if text.isascii():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKD", text.casefold()).replace("\u0131", "i")  # Turkish has no dot on it
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


_PHRASES = frozenset(_folded(phrase) for line in _SUBJECTS.values() for phrase in line.split(", "))
_AWAY = re.compile("|".join(_folded(words) for line in _BODIES.values() for words in line.split(", ")))


def is_absence_subject(subject: str) -> bool:
    """Whether a program wrote the subject, by its words: one of the phrases before a colon, in brackets, or alone.

    A gateway's tags before it are passed over. ``Re:`` is not: somebody answers such a mail.

    >>> is_absence_subject("[External] Automatisch antwoord: Budget")
    True
    >>> is_absence_subject("Out of the office next week, please cover")
    False
    """
    rest = _folded(subject[:_MOST])
    notes = subject.lstrip().startswith("AUTO: ") or not rest.startswith("auto:")
    for _ in range(_MOST_TAGS):
        before, colon, _after = rest.partition(":")
        if before.strip() in _PHRASES and (colon or rest.strip(" .!") in _PHRASES):
            return True
        if rest.strip(" .!") in _PHRASES or rest.partition(" - ")[0] in _PHRASES:
            return True
        if notes and _QUOTED_NOTES.match(rest):
            return True
        bracketed = _BRACKETED.match(rest)
        if bracketed and bracketed[1].strip() in _PHRASES:
            return True
        tag = bracketed or _STARRED.match(rest) or _WORDED.match(rest)
        if tag is None:
            return False
        rest = rest[tag.end() :]
        notes = notes or rest.startswith("auto: ")
    return False


def says_away(text: str) -> bool:
    """Whether a text says, as such mails do, its writer is away."""
    return _AWAY.search(_folded(text)) is not None
