"""The handoff stays inside: a random word in it is looked for in every byte that leaves for anybody else."""

from __future__ import annotations

import base64
import email
import quopri
import secrets
from email import policy
from pathlib import Path

import pytest

from tests.support.programs import mailrouter
from tests.support.relay import (
    BOTH_AWAY,
    ONE_AWAY,
    PARTNERS,
    ROLE,
    Relay,
    relay,
    wait_until,
    write_configuration,
)
from tests.support.sending import send
from tests.support.sink import Sink

STAND_IN = "pat@example.test"
COVERED = """\
absences:
  - {partner: elaine, from: 2020-01-01, until: 2099-12-31, cover: {name: Pat Quinn, email: pat@example.test}}
"""


def mail(fields: str, body: str = "Hello\r\n") -> bytes:
    """A message of header lines and a body."""
    return (fields.strip().replace("\n", "\r\n") + "\r\n\r\n" + body).encode()


def flows() -> list[tuple[str, str, bytes]]:
    """Each kind of mail that a role meets: (reverse-path, recipient, content)."""
    plain = f"From: Jane <jane@outside.test>\nTo: {ROLE}\nSubject: Budget\nMessage-ID: <1@outside.test>"
    return [
        ("jane@outside.test", ROLE, mail(plain)),
        (
            "jane@outside.test",
            ROLE,
            mail(plain + "\nIn-Reply-To: <0@x>\nReferences: <0@x>").replace(b"<1@", b"<2@"),
        ),
        (
            "sue@example.test",
            ROLE,
            mail(f"From: sue@example.test\nTo: {ROLE}\nSubject: x\nMessage-ID: <3@example.test>"),
        ),
        (
            "sue@example.test",
            "vp-hr+tag@example.test",
            mail("From: sue@example.test\nTo: vp-hr+tag@example.test\nSubject: y"),
        ),
        (
            "laurie@example.test",
            ROLE,
            mail(f"From: laurie@example.test\nTo: {ROLE}, jane@outside.test\nSubject: Re: Budget"),
        ),
        (
            "",
            ROLE,
            mail(
                f"From: MAILER-DAEMON@outside.test\nTo: {ROLE}\nSubject: Undelivered Mail Returned to Sender"
            ),
        ),
        (
            "list-bounces@lists.test",
            ROLE,
            mail(f"From: a@lists.test\nTo: list@lists.test\nCc: {ROLE}\nList-Id: <l.lists.test>"),
        ),
        (
            "signer@outside.test",
            ROLE,
            mail(
                f"From: signer@outside.test\nTo: {ROLE}\nSubject: signed\nMIME-Version: 1.0\n"
                'Content-Type: multipart/signed; protocol="application/pgp-signature"; micalg=pgp-sha256; boundary="s"',
                "--s\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
                "--s\r\nContent-Type: application/pgp-signature\r\n\r\nxx\r\n--s--\r\n",
            ),
        ),
        (
            "cal@outside.test",
            ROLE,
            mail(
                f"From: cal@outside.test\nTo: {ROLE}\nSubject: meet\nMIME-Version: 1.0\n"
                "Content-Type: text/calendar; method=REQUEST",
                "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
            ),
        ),
        (
            "big@outside.test",
            ROLE,
            mail(f"From: big@outside.test\nTo: {ROLE}\nSubject: big", ("y" * 70 + "\r\n") * 9_000),
        ),
        ("jane@outside.test", ROLE, b"no header at all"),
    ]


def set_handoff(running: Relay, text: str) -> None:
    """By the command, while the service runs."""
    command = ("handoff", "set", "vp-hr", "--author", "laurie", "--config", str(running.config))
    mailrouter(*command, given=text).check_returncode()


def views(raw: bytes) -> bytes:
    """A message raw and with every part decoded in every way it could hide a word."""
    seen = [raw, quopri.decodestring(raw)]
    for part in email.message_from_bytes(raw, policy=policy.compat32).walk():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            seen.append(payload)
    for line in raw.split(b"\r\n"):
        try:
            seen.append(base64.b64decode(line, validate=True))
        except ValueError:
            continue
    return b"\n".join(seen)


@pytest.mark.parametrize(
    "role", [ONE_AWAY, BOTH_AWAY, COVERED, COVERED + "forwarding: companion\nauto_reply: always\n"]
)
def test_the_handoff_reaches_partners_alone(tmp_path: Path, role: str) -> None:
    """In every flow the canary is in nothing that leaves for anybody but a partner, nor in the log; partners have it."""
    canary = "canary" + secrets.token_hex(12)
    with Sink() as sink:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}", role)
        with relay(config) as running:
            set_handoff(running, f"Done:\n- {canary} and\n\nLeft:\n- more of it\n")
            replies = send(running.port, flows(), connections=1)
            assert all(reply.startswith("250") for reply in replies), replies
            # The same again after kill -9, so that recovery is a flow as well.
            running.kill()
        with relay(config) as running:
            assert all(reply.startswith("250") for reply in send(running.port, flows(), connections=1))
            own_to = {r for _, r, _ in sink.taken}
            wait_until(
                lambda: sum(r in PARTNERS for _, r, _ in sink.taken) >= 2 * (2 * len(flows()) - 1),
                what="all copies",
            )
        assert own_to
    reached = {recipient for _, recipient, content in sink.taken if canary.encode() in views(content)}
    assert reached == set(PARTNERS)
    others = {recipient for _, recipient, _ in sink.taken} - set(PARTNERS)
    if STAND_IN in role:
        assert STAND_IN in others, "the stand-in gets copies"
    if role == BOTH_AWAY:
        assert "jane@outside.test" in others, "the sender is answered"
    assert canary not in (tmp_path / "serve.log").read_text()
    for path in (tmp_path / "var").rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0, f"{path} may be read by others"


def test_a_former_partner_does_not_get_what_waited(tmp_path: Path) -> None:
    """A copy with a handoff that waited while the file changed is planned anew: the former partner gets nothing of it."""
    canary = "canary" + secrets.token_hex(12)
    with Sink() as sink:
        down = write_configuration(tmp_path, "smtp://127.0.0.1:1", ONE_AWAY)
        with relay(down) as running:
            set_handoff(running, f"Left:\n- {canary}\n")
            assert send(running.port, flows()[:1])[0].startswith("250")
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}", ONE_AWAY)
        role = config / "roles" / "vp-hr.yaml"
        role.write_text(role.read_text().replace("email: elaine@example.test", "email: erin@example.test"))
        with relay(config):
            wait_until(
                lambda: {"laurie@example.test", "erin@example.test"} <= {r for _, r, _ in sink.taken},
                what="both",
            )
    recipients = [recipient for _, recipient, _ in sink.taken]
    assert "elaine@example.test" not in recipients
    assert sorted(recipients) == ["erin@example.test", "laurie@example.test"]


def handoff_mails(canary: str) -> list[tuple[str, str, bytes]]:
    """Mail to the handoff address, with the word in each: (reverse-path, recipient, content)."""
    to = "vp-hr+handoff@example.test"
    passed = "Authentication-Results: mail.example.test; dmarc=pass"
    body = f"Left:\r\n- {canary}\r\n"
    html = f"MIME-Version: 1.0\nContent-Type: text/html\n\n<ul><li>{canary}</li></ul>"
    mails = [
        ("laurie@example.test", f"{passed}\nFrom: laurie@example.test\nMessage-ID: <h1@x>", body),
        ("laurie@example.test", f"{passed}\nFrom: laurie@example.test\nMessage-ID: <h2@x>\n{html}", ""),
        ("laurie@example.test", f"{passed}\nFrom: laurie@example.test\nMessage-ID: <h3@x>", "x" * 250_000 + canary),
        ("spoofer@outside.test", "From: elaine@example.test\nMessage-ID: <h4@x>", body),
        ("laurie@private.test", "From: Laurie <laurie@private.test>\nReply-To: jane@outside.test", body),
        ("jane@outside.test", "From: jane@outside.test, laurie@example.test\nCc: jane@outside.test", body),
        ("laurie@example.test", f"{passed}\nFrom: laurie@example.test\nAuto-Submitted: auto-replied", body),
        ("", "From: MAILER-DAEMON@outside.test\nSubject: Undelivered Mail Returned to Sender", body),
        ("list-bounces@l.test", f"{passed}\nFrom: laurie@example.test\nList-Id: <l.l.test>", body),
    ]  # fmt: skip
    found = []
    for path, fields, text in mails:
        head, _, inside = fields.partition("\n\n")
        found.append((path, to, mail(f"{head}\nTo: {to}\nSubject: over", inside or text)))
    return found


@pytest.mark.parametrize("role", [BOTH_AWAY + "auto_reply: always\n", COVERED + "auto_reply: always\n"])
def test_a_handoff_by_mail_reaches_partners_alone(tmp_path: Path, role: str) -> None:
    """Taken, asked about, confirmed, unusable, forged, bounced, after kill -9: nobody but partners sees the word."""
    canary = "canary" + secrets.token_hex(12)
    settings = "authserv_id: mail.example.test\n"
    with Sink() as sink:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}", role, settings)
        with relay(config) as running:
            replies = send(running.port, handoff_mails(canary), connections=1)
            assert all(reply.startswith("250") for reply in replies), replies
            wait_until(lambda: len(asked(sink)) == 1, what="the question")
            running.kill()
        with relay(config) as running:
            (question,) = set(asked(sink))
            back = str(email.message_from_bytes(question)["Reply-To"]).partition("<")[2].strip(">")
            returned = mail(
                f"From: MAILER-DAEMON@outside.test\nTo: {back}\nSubject: Undelivered Mail Returned to Sender",
                question.decode(),
            )
            answers = [
                ("", back, returned),
                (
                    "elaine@example.test",
                    back,
                    mail(f"From: elaine@example.test\nTo: {back}", "I am away.\r\n\r\n" + question.decode()),
                ),
                (
                    "elaine@example.test",
                    back,
                    mail(f"From: elaine@example.test\nTo: {back}", "Yes\r\n\r\n> " + question.decode()),
                ),
                ("", ROLE, returned.replace(back.encode(), ROLE.encode())),
                *flows(),
            ]
            replies = send(running.port, answers, connections=1)
            assert all(reply.startswith("250") for reply in replies), replies
            wait_until(
                lambda: sum(b"by Elaine" in content for _, _, content in sink.taken) >= 2, what="notices"
            )
            wait_until(
                lambda: (
                    sum(b"Mailrouter-You" in c and r in PARTNERS for _, r, c in sink.taken)
                    >= 2 * len(flows()) - 1
                ),
                what="all copies",
            )
    reached = {recipient for _, recipient, content in sink.taken if canary.encode() in views(content)}
    assert reached == set(PARTNERS)
    others = {recipient for _, recipient, _ in sink.taken} - set(PARTNERS)
    assert (STAND_IN in others) == (STAND_IN in role)
    assert canary not in (tmp_path / "serve.log").read_text()


def asked(sink: Sink) -> list[bytes]:
    """The questions whether a handoff is genuine."""
    return [content for _, _, content in sink.taken if b"Please confirm" in content]
