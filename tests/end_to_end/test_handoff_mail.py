"""Handing over by mail, through a real ``mailrouter serve``: proofs, confirmations, answers, and who gets none."""

from __future__ import annotations

import email
import email.policy
import json
import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

from tests.support.programs import mailrouter
from tests.support.relay import PARTNERS, ROLE, Relay, relay, wait_until, write_configuration
from tests.support.sending import send
from tests.support.sink import Sink

HANDOFF = "vp-hr+handoff@example.test"
LAURIE, ELAINE = PARTNERS
PROOF = "Authentication-Results: mail.example.test; dmarc=pass header.from=example.test"
TRUSTING = "authserv_id: mail.example.test\n"
TEXT = "Done:\r\n- the budget\r\n\r\nLeft:\r\n- call Jim\r\n\r\nWatch:\r\n- the audit\r\n"


def mail(*fields: str, body: str = TEXT, sender: str = LAURIE, number: int = 1) -> bytes:
    """A mail to the handoff address; ``fields`` come first."""
    lines = [
        *fields,
        f"From: {sender}",
        f"To: {HANDOFF}",
        "Subject: Over to you",
        f"Message-ID: <{number}@example.test>",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


@contextmanager
def running(folder: Path, settings: str = "") -> Iterator[tuple[Relay, Sink]]:
    """A relay before a server that remembers what it gets."""
    with Sink() as sink:
        config = write_configuration(folder, f"smtp://127.0.0.1:{sink.port}", settings=settings)
        with relay(config) as service:
            yield service, sink


def deliver(service: Relay, content: bytes, to: str = HANDOFF, sender: str = LAURIE) -> str:
    """What the relay says to one mail."""
    return send(service.port, [(sender, to, content)], connections=1)[0]


def got(sink: Sink, recipient: str) -> list[EmailMessage]:
    """What a recipient has got, as an independent reader sees it."""
    return [
        email.message_from_bytes(content, policy=email.policy.default)
        for _, to, content in sink.taken
        if to == recipient
    ]


def arrive(sink: Sink, number: int) -> None:
    """Wait for so many messages."""
    wait_until(lambda: len(sink.taken) >= number, what=f"message {number}")


def nothing_more(service: Relay, sink: Sink, number: int) -> None:
    """After another mail has come through, nothing else has."""
    plain = f"From: sue@example.test\r\nTo: {ROLE}\r\nSubject: last\r\nMessage-ID: <last@x>\r\n\r\nlast\r\n"
    assert deliver(service, plain.encode(), ROLE, "sue@example.test").startswith("250")
    arrive(sink, number + 2)
    assert len(sink.taken) == number + 2


def question(sink: Sink) -> EmailMessage:
    """The newest message that asks for a confirmation."""
    *_, found = [m for m in got(sink, LAURIE) if str(m["subject"]).startswith("Please confirm")]
    return found


def test_a_proven_mail_is_the_new_handoff_and_both_are_told(tmp_path: Path) -> None:
    """What was understood and the version before, in a message that nothing answers; the next mail carries it."""
    with running(tmp_path, TRUSTING) as (service, sink):
        assert deliver(service, mail(PROOF)).startswith("250")
        arrive(sink, 2)
        assert deliver(
            service, mail(PROOF, sender=ELAINE, body="Left: all of it\r\n", number=2), sender=ELAINE
        ).startswith("250")
        arrive(sink, 4)
        plain = f"From: sue@example.test\r\nTo: {ROLE}\r\nSubject: x\r\nMessage-ID: <3@x>\r\n\r\nhello\r\n"
        assert deliver(service, plain.encode(), ROLE, "sue@example.test").startswith("250")
        arrive(sink, 6)
    assert {path for path, _, _ in sink.taken[:4]} == {""}
    for partner in PARTNERS:
        first, second, copy = got(sink, partner)
        assert first["from"].addresses[0].addr_spec == HANDOFF
        assert first["auto-submitted"] == "auto-generated"
        assert first["to"].addresses[0].addr_spec == partner
        text = first.get_content().replace("\r\n", "\n")
        assert "Done\n- the budget\n\nLeft\n- call Jim\n\nWatch\n- the audit\n" in text
        assert "It is the first one." in text
        assert "by Elaine" in second.get_content()
        assert re.search(r"The one before was Laurie's, \w+ \d+ \w+\s+\(today\)", second.get_content())
        carried = [part.get_content() for part in copy.walk() if part.get_filename()]
        assert ["Left: all of it" in text for text in carried] == [True]


def test_without_proof_the_partners_own_mailbox_is_asked_and_its_answer_counts_once(tmp_path: Path) -> None:
    """Nothing changes before; an out-of-office and a bounce confirm nothing; a yes does; a second is refused."""
    with running(tmp_path) as (service, sink):
        assert deliver(service, mail(), sender="spoofer@outside.test").startswith("250")
        arrive(sink, 1)
        asked = question(sink)
        back = asked["reply-to"].addresses[0].addr_spec
        assert sink.taken[0][:2] == ("", LAURIE)
        assert "- call Jim" in asked.get_content()
        assert len(back.partition("@")[0]) <= 64
        absent = (
            f"From: {LAURIE}\r\nTo: {back}\r\nAuto-Submitted: auto-replied\r\nSubject: away\r\n\r\naway\r\n"
        )
        assert deliver(service, absent.encode(), back).startswith("250")
        bounce = f"From: MAILER-DAEMON@x.test\r\nTo: {back}\r\nSubject: Undelivered\r\n\r\nno\r\n"
        assert deliver(service, bounce.encode(), back, "").startswith("250")
        nothing_more(service, sink, 1)
        assert all(not part.get_filename() for part in got(sink, ELAINE)[0].walk())
        answer = f"From: private@phone.test\r\nTo: {back}\r\nSubject: Re: Please\r\n\r\nYes, that was me.\r\n"
        assert deliver(service, answer.encode(), back.upper(), "private@phone.test").startswith("250")
        arrive(sink, 5)
        for partner in PARTNERS:
            assert "- call Jim" in got(sink, partner)[-1].get_content()
        assert deliver(service, answer.encode(), back, "private@phone.test").startswith("550 5.7.1")
        guess = back.replace(back[20:24], "aaaa")
        assert deliver(service, answer.encode(), guess).startswith("550 5.1.1")
        nothing_more(service, sink, 5)


def test_a_forged_mail_before_hers_holds_up_nothing(tmp_path: Path) -> None:
    """Each has a question that shows what it is; the fourth in an hour is put off, the very same one not asked about."""
    with running(tmp_path) as (service, sink):
        assert deliver(service, mail(body="forged\r\n", number=2)).startswith("250")
        arrive(sink, 1)
        forged = question(sink).get_content()
        assert "forged" in forged
        assert "Came from: our own server 127.0.0.1; where it had it from can't be told" in " ".join(
            forged.split()
        )
        assert deliver(service, mail(body="forged\r\n", number=3)).startswith("250")
        arrive(sink, 2)
        assert deliver(service, mail()).startswith("250")
        arrive(sink, 3)
        third = question(sink).get_content().replace("\r\n", "\n")
        assert re.search(
            r"\.\n\nThis is the third such question[^#]*tell IT\.\n\nThis is how it was read", third
        )
        assert re.search(r"\.\n\nThis is how it was read", forged.replace("\r\n", "\n"))
        assert deliver(service, mail(body="forged\r\n", number=5)).startswith("450 4.7.1")
        assert deliver(service, mail()).startswith("250")
        nothing_more(service, sink, 3)
        back = question(sink)["reply-to"].addresses[0].addr_spec
        assert deliver(service, b"Subject: yes\r\n\r\n", back).startswith("250")
        arrive(sink, 7)
        assert "call Jim" in got(sink, ELAINE)[-1].get_content()
        assert "forged" not in got(sink, ELAINE)[-1].get_content()


def test_whoever_is_no_partner_writes_to_the_role_and_hears_nothing(tmp_path: Path) -> None:
    """A colleague's mail to the handoff address reaches both partners as mail; there is no answer, no new handoff."""
    with running(tmp_path, TRUSTING) as (service, sink):
        assert deliver(
            service, mail(PROOF, sender="jane@outside.test"), sender="jane@outside.test"
        ).startswith("250")
        arrive(sink, 2)
        nothing_more(service, sink, 2)
        assert {to for _, to, _ in sink.taken} == set(PARTNERS)
        for copy in got(sink, LAURIE):
            assert not any(part.get_filename() for part in copy.walk())


def test_an_unusable_mail_of_a_proven_partner_is_answered_to_that_partner(tmp_path: Path) -> None:
    """Why, and what to do; the other partner hears nothing of it."""
    with running(tmp_path, TRUSTING) as (service, sink):
        assert deliver(service, mail(PROOF, body="-- \r\nLaurie\r\n")).startswith("250")
        arrive(sink, 1)
        nothing_more(service, sink, 1)
    told = got(sink, LAURIE)[0]
    assert told["subject"] == "No new handoff for VP Human Resources"
    assert "There is no text in the mail but a signature" in told.get_content()
    assert sink.taken[0][1] == LAURIE


def test_a_kill_between_keeps_the_handoff_and_what_waits(tmp_path: Path) -> None:
    """After ``kill -9`` the notices arrive, a question can be answered still, and a repeated mail does nothing."""
    down = write_configuration(tmp_path, "smtp://127.0.0.1:1", settings=TRUSTING)
    service = Relay(down)
    assert deliver(service, mail(PROOF)).startswith("250")
    assert deliver(service, mail(sender=ELAINE, number=2, body="Left:\r\n- more\r\n")).startswith("250")
    service.kill()
    with running(tmp_path, TRUSTING) as (service, sink):
        arrive(sink, 3)
        assert deliver(service, mail(PROOF)).startswith("250")
        (asked,) = [m for m in got(sink, ELAINE) if str(m["subject"]).startswith("Please confirm")]
        back = asked["reply-to"].addresses[0].addr_spec
        assert deliver(service, b"Subject: yes\r\n\r\n", back, ELAINE).startswith("250")
        arrive(sink, 5)
        nothing_more(service, sink, 5)
        assert "- more" in got(sink, LAURIE)[-2].get_content()


def test_explain_tells_what_becomes_of_it(tmp_path: Path) -> None:
    """Who would get a message of ours and why, its text with ``--raw``; and nothing has happened."""
    with running(tmp_path, TRUSTING) as (service, sink):
        file = tmp_path / "mail.eml"
        file.write_bytes(mail(PROOF))
        words = ("explain", str(file), "--config", str(service.config))
        said = mailrouter(*words, "--raw").stdout
        assert f"{ELAINE} gets a message of ours about the handoff." in said
        assert "dmarc=pass" in said
        assert said.count("- call Jim") == 2
        data = mailrouter(*words, "--json").stdout
        assert json.loads(data)["notices"] == list(PARTNERS)
        nothing_more(service, sink, 0)


def test_a_notice_that_comes_back_is_stopped(tmp_path: Path) -> None:
    """A partner's mailbox that forwards to the role gets the loop's refusal."""
    with running(tmp_path, TRUSTING) as (service, sink):
        assert deliver(service, mail(PROOF)).startswith("250")
        arrive(sink, 2)
        for to in (HANDOFF, ROLE):
            assert deliver(service, sink.taken[0][2], to).startswith("554 5.4.6")


def test_role_and_handoff_address_in_one_mail(tmp_path: Path) -> None:
    """The mail goes to the other partner as mail does, and it is the handoff."""
    with running(tmp_path, TRUSTING) as (service, sink):
        with smtplib.SMTP("127.0.0.1", service.port) as client:
            client.sendmail(LAURIE, [ROLE, HANDOFF], mail(PROOF))
        arrive(sink, 3)
        nothing_more(service, sink, 3)
    assert sorted(to for _, to, _ in sink.taken[:3]) == [ELAINE, ELAINE, LAURIE]
