"""Out-of-office mails that only their words mark, and what people write that looks like them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.message.absence import is_absence_subject, says_away
from mailrouter.message.dsn.bounce import read_bounce, unmarked_absence
from mailrouter.message.provenance.senders import before_forwarding, untagged
from tests.message.real_mail import scan

LAURIE = "laurie@example.test"

BY_PROGRAMS = """\
Automatic reply: Budget
Out of Office: Budget
Out of Office AutoReply: Budget
Out of office
Auto-Reply: Budget
Automatische Antwort: Budget
Abwesenheitsnotiz: Budget
Abwesenheitsnotiz
Außer Haus: Budget
Réponse automatique : Budget
Réponse automatique : Budget
Reponse automatique: Budget
Absence du bureau : Budget
Respuesta automática: Budget
Fuera de la oficina: Budget
Resposta automática: Budget
Risposta automatica: Budget
Fuori sede: Budget
Automatisch antwoord: Budget
Afwezig: Budget
Automatisk svar: Budget
Ikke til stede: Budget
Automatiskt svar: Budget
Autosvar: Budget
Automaattinen vastaus: Budget
Odpowiedź automatyczna: Budget
Automatyczna odpowiedź: Budget
Automatická odpověď: Budget
Automatická odpoveď: Budget
Automatikus válasz: Budget
Răspuns automat: Budget
Samodejni odgovor: Budget
Automatski odgovor: Budget
Автоматический ответ: Budget
Автоматична відповідь: Budget
Автоматичен отговор: Budget
Αυτόματη απάντηση: Budget
Otomatik yanıt: Budget
OTOMATİK YANIT: Budget
Automatinis atsakymas: Budget
Automātiskā atbilde: Budget
Automaatvastus: Budget
מענה אוטומטי: Budget
رد تلقائي: Budget
自动答复: Budget
自动回复：Budget
【自动回复】Budget
自動回覆: Budget
自動応答: Budget
自動返信： Budget
자동 회신: Budget
[자동응답] Budget
Trả lời tự động: Budget
AUTO: Laurie Cremona is out of the office (returning 12/14/2026)
AUTO: Jean Dupont est absent (retour le 14/12/2026)
Laurie Cremona is out of the office.
[External] Automatic reply: Budget
[EXT] [SPAM?] Automatische Antwort: Budget
EXTERNAL: Automatic reply: Budget
***SPAM*** Automatisch antwoord: Budget
{Spam?} Automatic reply: Budget
<EXTERN> Automatiskt svar: Budget
(External) Out of Office: Budget
[EXTERNAL EMAIL] AUTO: Laurie Cremona is out of the office (returning 12/14/2026)
*** EXTERNAL *** : Automatic reply: Budget"""

BY_PEOPLE = """\
Out of the office next week, please cover
Out of office rota for January
Automatic reply settings
Automatic replies are broken
Can you set up an automatic reply: how?
Re: Automatic reply: Budget
Re: Out of Office
Fwd: Automatic reply: Budget
AW: Abwesenheitsnotiz: Budget
Abwesenheit: Max Mustermann ab Montag
Abwesend nächste Woche
Frånvaro: Lisa på måndag
Nieobecność: Jan Kowalski
OOO: next week
Vacation request
Vacation: who covers for me?
Auto: insurance for the company car
AUTO: new lease
Auto: Laurie is out of the office
Is Laurie out of the office?
Who is out of the office (returning when)?
Absence: Monday
[External] Absence on Monday
[External] Re: Automatic reply: Budget
不在: 田中
Offer: automatic reply
"""


@pytest.mark.parametrize("subject", BY_PROGRAMS.splitlines())
def test_programs_are_known_by_their_subjects(subject: str) -> None:
    """In the mailbox's language, whatever a gateway put before it."""
    assert is_absence_subject(subject)
    assert is_absence_subject(subject.upper()) or subject.isascii() is False or "AUTO" in subject


@pytest.mark.parametrize("subject", BY_PEOPLE.splitlines())
def test_people_are_not_taken_for_programs(subject: str) -> None:
    """To an office that keeps absences people write of them every day; and they answer to such mails."""
    assert not is_absence_subject(subject)


@given(st.text(max_size=400))
def test_any_text_is_read(text: str) -> None:
    """Nothing raises, and nothing behind the first 200 characters counts."""
    is_absence_subject(text)
    says_away(text)
    assert not is_absence_subject("x" * 200 + "Automatic reply: " + text)


def mail(subject: str, text: str, sender: str = LAURIE, *fields: str) -> bytes:
    """A mail without any mark of a program."""
    head = "\r\n".join((f"From: {sender}", "To: vp-hr+b-x@example.test", f"Subject: {subject}", *fields))
    return f"{head}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()


def absorbed(raw: bytes, path: str = LAURIE) -> bool:
    """Whether it is an out-of-office answer at the return path of a copy to Laurie."""
    head, shape = scan(raw)
    found = read_bounce(head, shape, raw, path) or unmarked_absence(head, shape, raw, path, LAURIE)
    return found is not None and found.kind == "auto-reply"


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Out of the office Re: Budget", "I am away until 14 December, with limited access to email."),
        ("Re: Budget", "I am out of the office until 14 December."),
        ("Budget", "Ik ben tot 14 december niet aanwezig."),
        ("Re: Budget", "Jestem na urlopie do 14 grudnia."),
        ("Re: Budget", "Jag är på semester till den 14 december."),
        ("Re: Budget", "Szabadságon vagyok."),
        ("Re: Budget", "12月14日まで不在にしております。"),
        ("Automatisch antwoord: Budget", "Tot ziens."),
        ("AUTO: Laurie Cremona is out of the office (returning 12/14/2026)", "x"),
    ],
)
def test_an_unmarked_absence_of_the_mailbox_itself_is_absorbed(subject: str, text: str) -> None:
    """No program writes to a return path for a person; a rule in that very mailbox does."""
    assert absorbed(mail(subject, text))
    assert absorbed(mail(subject, text, f"Laurie Cremona <{LAURIE}>"), "laurie+x@example.test")


@pytest.mark.parametrize(
    "raw",
    [
        mail("Re: Budget", "Fine with me, please go on."),
        mail("Re: Budget", "I am on holiday next week, so take this.\r\n\r\n> Can we meet on Monday?"),
        mail("Re: Budget", "I am out of the office until Monday.", "jane@other.test"),
    ],
)
def test_what_a_person_wrote_by_hand_is_mail(raw: bytes) -> None:
    """Words of their own, an answer with the mail quoted, or somebody else's mailbox."""
    head, _ = scan(raw)
    assert not absorbed(raw, head.mailboxes("from")[0].address)


@pytest.mark.parametrize(
    "tagged",
    [
        "laurie@partner.test",
        "prvs=1234abcdef=laurie@partner.test",
        "PRVS=1234ABCDEF=laurie@partner.test",
        "prvs=laurie/1234abcdef@partner.test",
        "btv1==0a1==laurie@partner.test",
        "msprvs1=19231abcd=laurie@partner.test",
    ],
)
def test_a_tag_of_the_senders_server_is_taken_off(tagged: str) -> None:
    """BATV in the forms that servers write."""
    assert untagged(tagged) == "laurie@partner.test"


@pytest.mark.parametrize(
    ("rewritten", "before"),
    [
        ("SRS0=HHH=TT=partner.test=laurie@f.test", "laurie@partner.test"),
        ("srs0+hhh=tt=partner.test=laurie@f.test", "laurie@partner.test"),
        ("SRS1=HHH=f.test==HHH=TT=partner.test=laurie@g.test", "laurie@partner.test"),
        ("laurie@partner.test", ""),
        ("SRS0=x@f.test", ""),
        ("srsly@f.test", ""),
    ],
)
def test_a_forwarders_address_names_the_one_before_it(rewritten: str, before: str) -> None:
    """SRS0, and SRS1 where a second server forwards."""
    assert before_forwarding(rewritten) == before
