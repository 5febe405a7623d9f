"""What confirms: a line of one's own that says yes, and nothing that a mailbox answers by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.routing.partner.confirmation import says_yes
from mailrouter.routing.partner.contents import contents_of
from tests.routing.situations import mail, read
from tests.support import corpus

NAMES = ("Laurie Cremona", "Elaine Miller")
QUESTION = """Hello Laurie,

a mail in your name came to vp-hr+handoff@example.test, today at 10:00:

Subject: yes

If it is yours, answer this message with one word: yes. Then it is the new handoff.

This is how it was read (the text of the mail):

Left
- yes
yes
"""
QUOTED = "".join(f"> {line}\n" for line in QUESTION.splitlines())
WROTE = "On Thu, 3 Dec 2026 at 10:00, VP HR <vp-hr+handoff-abc@example.test> wrote:\n"
OUTLOOK = (
    "________________________________\nFrom: VP HR <vp-hr+handoff-abc@example.test>\n"
    "Sent: Thursday, 3 December 2026 10:00\nTo: Laurie Cremona\nSubject: Please confirm\n\n"
)


def confirms(body: str, *fields: str) -> bool:
    """Whether an answer with this text does."""
    raw = mail("Content-Type: text/plain; charset=utf-8", *fields, body=body.replace("\n", "\r\n").encode())
    return read_yes(raw)


def read_yes(raw: bytes) -> bool:
    """Whether a whole message does."""
    head, shape = read(raw)
    return says_yes(head, contents_of(head, shape, raw).body, NAMES)


YES = [
    *("yes", "Yes.", "YES!", "ok", "Okay, thanks", "Yes, that was me.", "I confirm", "I confirm it, thanks Elaine"),
    *("Confirmed", "Yes please", "ja", "Ja, das war ich", "Oui, c'est moi", "Oui, c’est moi", "Sí", "si", "sim"),
    *("*yes*", "“Yes”", "yes it's mine", "Ich bestätige", "Sì, sono io", "Si\u0300, confermo", "Ja, dat klopt"),
    *("Ja, det er mig", "Ja, tack", "Tak, to ja", "Ano, děkuji", "Kyllä, kiitos", "Sim, fui eu", "да", "はい"),
]  # fmt: skip


@pytest.mark.parametrize("line", YES)
def test_a_yes_confirms(line: str) -> None:
    """Alone, above what is answered as the mail programs quote it, below it, and with greeting, name and signature."""
    assert confirms(f"{line}\n")
    assert confirms(f"\n\n{line}\n\n{WROTE}{QUOTED}")
    assert confirms(f"{line}\n\nLaurie\n\nSent from my iPhone\n\n{WROTE}{QUOTED}")
    assert confirms(f"{line}\n\n{OUTLOOK}{QUESTION}")
    assert confirms(f"{WROTE}{QUOTED}\n{line}\n-- \nLaurie Cremona\n")
    assert confirms(f"{QUOTED}\n{line}\n")
    assert confirms(f"Hello,\n\n{line}\n\nBest regards\nLaurie\n")
    assert confirms(f"{line}\nLaurie Cremona\nVP Human Resources\nExample Ltd, 12 High Street\n")


def test_a_subject_is_a_yes_where_nothing_is_written() -> None:
    """As from a phone; but not beside words, and not the subject of our question."""
    assert confirms("", "Subject: yes")
    assert confirms(QUOTED, "Subject: Yes")
    assert not confirms("I am away.", "Subject: yes")
    assert not confirms("", "Subject: Re: Please confirm: handoff for VP HR")


BANNERS = [
    "Warning: this mail came from outside.\nWarning: be careful with links and files.",
    "[EXTERNAL]",
    "CAUTION: This email originated from outside of the organization. Do not click links\n"
    "or open attachments unless you recognize the sender.",
    "You don't often get email from vp-hr@example.test. Learn why this is important",
    "ACHTUNG: Diese E-Mail kommt von außerhalb.",
    "LET OP: deze e-mail komt van buiten.",
]


@pytest.mark.parametrize("banner", BANNERS)
def test_what_a_gateway_puts_above_a_yes_is_passed_over(banner: str) -> None:
    """Its warning about mail from outside; but it says nothing itself, nor does a yes further down count."""
    assert confirms(f"{banner}\n\nYes\n\n{QUOTED}")
    assert confirms(f"{banner}\nYes\n\n{WROTE}{QUOTED}")
    assert not confirms(f"{banner}\n\nI am away.\n\nYes\n")
    assert not confirms(f"{banner}\n\n{QUOTED}")
    assert not confirms("Attention: I am away until Monday.\n\nYes\n")


NO = [
    *("", "\n\n", "no", "No, yes!", "Thanks", "Please confirm", "yes?", "Is this mine?", "?", "👍"),
    *("I am out of office until Monday.", "Yes, I am away until Monday and will read it then", "Not mine"),
    *("OK: your request #4711 was received", "Confirmed receipt of your message", "Si urgent, appelez Marie"),
    *("Si es urgente, llame al 555", "Ok. Ticket 12 was opened", "Ja, ich bin bis Montag nicht da"),
    *("Your message:", "Thank you for your mail.\nyes", "Ich bin nicht im Haus.\n\nyes\n", "I do not confirm"),
]  # fmt: skip


@pytest.mark.parametrize("words", NO)
def test_nothing_else_does(words: str) -> None:
    """Whatever of our question stands below or above it, quoted or not, with a yes in it."""
    assert not confirms(words)
    assert not confirms(f"{words}\n{QUOTED}")
    assert not confirms(f"{words}\n{OUTLOOK}{QUESTION}")
    assert not confirms(f"{words}\n{QUESTION}")
    if words.strip():
        assert not confirms(f"{words}\n\n{WROTE}{QUOTED}\nyes\n")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_no_answer_of_a_program_that_speaks_first_confirms(words: str) -> None:
    """Any text below a first sentence that is none of ours."""
    assert not confirms(f"I am away until Monday.\n{words}")


def test_html_alone_is_read_too() -> None:
    """As some programs write."""
    html = b"<html><body><div>Yes</div><br><blockquote>Hello Laurie,<br>yes</blockquote></body></html>"
    assert read_yes(mail("MIME-Version: 1.0", "Content-Type: text/html", body=html))
    away = html.replace(b"<div>Yes", b"<div>I am away")
    assert not read_yes(mail("MIME-Version: 1.0", "Content-Type: text/html", body=away))


def test_what_is_too_large_or_encrypted_says_nothing() -> None:
    """It can't be read."""
    assert not says_yes(read(mail(body=b"yes\r\n"))[0], None)
    sealed = ("MIME-Version: 1.0", 'Content-Type: multipart/encrypted; boundary=b; protocol="application/x"')
    assert not read_yes(mail(*sealed, "Subject: yes", body=b"--b\r\n\r\nyes\r\n--b--\r\n"))


@pytest.mark.slow
@pytest.mark.skipif(not corpus.available(), reason=corpus.WHY_ABSENT)
def test_no_mail_of_the_corpus_confirms() -> None:
    """Thousands that nobody wrote in answer to us: bounces, automatic replies, lists, people."""
    mails = corpus.mails()
    assert len(mails) > 1000
    assert [mail.file for mail in mails if read_yes(mail.raw)] == []
