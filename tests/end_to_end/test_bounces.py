"""What comes back to a copy's own return path, through a real relay and a real next hop."""

from __future__ import annotations

import csv
import email
import re
import secrets
import smtplib
from collections import Counter
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from flufl.bounce import all_failures

from mailrouter.store.ids import message_id_of
from mailrouter.store.sqlite.reader import StoreReader
from mailrouter.turns import drive
from tests.end_to_end.test_canary import flows, mail, set_handoff, views
from tests.support import corpus
from tests.support.parsed import parts_of
from tests.support.relay import ONE_AWAY, PARTNERS, ROLE, Relay, relay, wait_until, write_configuration
from tests.support.sending import queue_id, send
from tests.support.sink import Sink

LAURIE, ELAINE = PARTNERS
JANE = "jane@outside.test"
IT = "it@example.test"
MAIL = mail(f"From: Jane <{JANE}>\nTo: {ROLE}\nSubject: Budget\nMessage-ID: <1@outside.test>")
NO_USER = "550 5.1.1 <elaine@example.test>: Elaine Miller is no user of mx7.example.test"


def bounce(to: str, of: str, returned: bytes = MAIL, words: str = NO_USER) -> bytes:
    """A server's report that ``returned`` did not reach ``of`` (RFC 3464)."""
    status = (
        f"Reporting-MTA: dns; mx7.example.test\r\n\r\nFinal-Recipient: rfc822; {of}\r\nAction: failed\r\n"
        f"Status: 5.1.1\r\nDiagnostic-Code: smtp; {words}\r\n"
    )
    parts = (
        "Content-Type: text/plain\r\n\r\nIt could not be delivered.\r\n",
        f"Content-Type: message/delivery-status\r\n\r\n{status}",
        f"Content-Type: message/rfc822\r\n\r\n{returned.decode()}",
    )
    body = "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n"
    return mail(
        f"From: MAILER-DAEMON@mx7.example.test\nTo: {to}\nSubject: Undelivered Mail Returned to Sender\n"
        'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"',
        body,
    )


def out_of_office(to: str, of: str) -> bytes:
    """A mailbox's own answer (RFC 3834)."""
    return mail(
        f"From: {of}\nTo: {to}\nSubject: Automatic reply: Budget\nAuto-Submitted: auto-replied",
        "I am skiing until Monday.\r\n",
    )


def return_path(sink: Sink, of: str) -> str:
    """The reverse-path of the newest copy to this partner."""
    return next(
        path for path, to, content in reversed(sink.taken) if to == of and b"Mailrouter-You" in content
    )


def got(sink: Sink, who: str) -> list[EmailMessage]:
    """What this address got that is no copy."""
    return [
        email.message_from_bytes(content, policy=policy.default)
        for _, to, content in sink.taken
        if to == who and b"Mailrouter-You" not in content
    ]


def recorded(running: Relay) -> None:
    """Wait until everything that was delivered is known to the store as delivered."""
    reader = StoreReader(running.config.parent / "var" / "mailrouter.db")
    try:
        wait_until(lambda: drive(reader.waiting()) == 0, what="the queue to empty")
    finally:
        reader.close()


def told(sink: Sink, who: str, most: int = 1) -> EmailMessage:
    """The only message of ours to this address."""
    wait_until(lambda: len(got(sink, who)) >= most, what=f"a message to {who}")
    found = got(sink, who)
    assert len(found) == most
    return found[-1]


def copied(running: Relay, sink: Sink, raw: bytes = MAIL, options: tuple[str, ...] = ()) -> str:
    """Send a mail and wait for its copies; gives its queue id."""
    before = sum(b"Mailrouter-You" in content for _, _, content in sink.taken)
    with smtplib.SMTP("127.0.0.1", running.port, timeout=30) as client:
        client.ehlo()
        client.mail(JANE, ["ENVID=QQ+2B1", "RET=HDRS"])
        client.rcpt(ROLE, list(options))
        code, text = client.data(raw)
    assert code == 250, text
    wait_until(
        lambda: sum(b"Mailrouter-You" in content for _, _, content in sink.taken) >= before + 2, what="copies"
    )
    return queue_id(text.decode())


def test_each_copy_leaves_under_a_return_path_of_its_own(tmp_path: Path) -> None:
    """Two copies, two addresses at the role's own domain, at most 64 octets before the @; <> stays <>."""
    with Sink() as sink, relay(write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")) as running:
        copied(running, sink)
        paths = [path for path, _, _ in sink.taken]
        assert len(set(paths)) == 2
        for path in paths:
            assert re.fullmatch(r"vp-hr\+b-[a-z2-7]{28}@example\.test", path)
        assert send(running.port, [("", ROLE, MAIL)])[0].startswith("250")
        wait_until(lambda: len(sink.taken) == 4, what="copies of <>")
        assert [path for path, _, _ in sink.taken[2:]] == ["", ""]


def test_bounces_may_have_a_domain_of_their_own(tmp_path: Path) -> None:
    """With ``return_domain`` the return paths lie there, and what comes back to them is tied to its copy as ever."""
    with Sink() as sink:
        config = write_configuration(
            tmp_path, f"smtp://127.0.0.1:{sink.port}", settings="return_domain: roles.example.test\n"
        )
        with relay(config) as running:
            copied(running, sink)
            path = return_path(sink, ELAINE)
            assert path.endswith("@roles.example.test")
            assert send(running.port, [("", path, bounce(path, ELAINE))])[0].startswith("250")
            assert "did not reach" in told(sink, IT)["Subject"]
            (reply,) = send(running.port, [("", "b-" + "a" * 28 + "@roles.example.test", MAIL)])
            assert reply.startswith("550 5.")


def test_one_bounce_is_told_to_the_operator_and_the_other_partner(tmp_path: Path) -> None:
    """One partner's failure goes to IT and to the other partner, once an hour, and never to the sender."""
    with Sink() as sink, relay(write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")) as running:
        queue = copied(running, sink)
        path = return_path(sink, ELAINE)
        assert send(running.port, [("", path.upper(), bounce(path, ELAINE))] * 2)[0].startswith("250")
        alert, notice = told(sink, IT), told(sink, LAURIE)
        assert alert["Subject"] == "Mail for VP Human Resources did not reach elaine@example.test"
        assert f"mailrouter queue show {queue}" in alert.get_content()
        assert "5.1.1" in alert.get_content()
        assert "Laurie has it" in alert.get_content()
        assert notice["Subject"] == "A mail did not reach Elaine"
        assert "You have it, so please tell Elaine." in notice.get_content()
        assert "Subject:  Budget" in notice.get_content()
        # Another mail, bounced within the hour, is recorded and not told.
        copied(running, sink)
        path = return_path(sink, ELAINE)
        (reply,) = send(running.port, [("", path, bounce(path, ELAINE))])
        assert reply.startswith("250")
        # The order of deliveries is that of the store, so what had to come is here once this is.
        copied(running, sink)
        assert (len(got(sink, IT)), len(got(sink, LAURIE)), got(sink, JANE)) == (1, 1, [])
    store = StoreReader(tmp_path / "var/mailrouter.db")
    entry = drive(store.entry(message_id_of(queue)))
    assert entry is not None
    assert {d.recipient: d.state for d in entry.deliveries if d.kind == "copy"} == {
        LAURIE: "delivered",
        ELAINE: "bounced",
    }


def check_report(report: EmailMessage, action: str = "failed", original: str = ROLE) -> None:
    """A report (RFC 3464) as independent parsers read it: about the role alone, nothing private anywhere."""
    raw = report.as_bytes()
    if action == "failed":
        assert all_failures(report) == (frozenset(), frozenset((original.encode(),)))
    assert report["Auto-Submitted"] == "auto-replied"
    _, status, _ = report.iter_parts()
    message, recipient = status.iter_parts()
    assert message["Reporting-MTA"] == "dns; mx.example.test"
    assert message["Original-Envelope-Id"] == "QQ+1"
    assert (recipient["Final-Recipient"], recipient["Action"]) == (f"rfc822; {ROLE}", action)
    seen = views(raw).lower()
    for private in (b"laurie", b"elaine", b"mx7", b"miller"):
        assert private not in seen


def test_the_sender_hears_when_nobody_could_be_reached(tmp_path: Path) -> None:
    """When the last copy has come back the sender gets one report, of the role alone, with the original's header."""
    with Sink() as sink, relay(write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")) as running:
        copied(running, sink)
        paths = {who: return_path(sink, who) for who in PARTNERS}
        assert send(running.port, [("", paths[LAURIE], bounce(paths[LAURIE], LAURIE))])[0].startswith("250")
        told(sink, IT)
        assert got(sink, JANE) == []
        recorded(running)  # or the kill would have the alert sent again
        running.kill()
        with relay(running.config) as again:
            assert send(again.port, [("", paths[ELAINE], bounce(paths[ELAINE], ELAINE))] * 2)[0].startswith(
                "250"
            )
            report = told(sink, JANE)
            alert = told(sink, IT, 2)
        assert "No partner has it. The sender gets a report" in alert.get_content()
    check_report(report)
    assert [path for path, to, _ in sink.taken if to == JANE] == [""]
    assert "Subject: Budget" in report.as_string()
    text = report.get_body(preferencelist=("plain",))
    assert text is not None
    assert "could not be delivered" in text.get_content()


def test_refused_everywhere_is_reported_at_once(tmp_path: Path) -> None:
    """Where the next hop refuses both copies for good, the sender hears of it, and of the whole mail if wanted."""
    nobody = "No partner has it. The sender gets a report"
    with Sink(refuse=dict.fromkeys(PARTNERS, NO_USER)) as sink:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")
        with relay(config) as running, smtplib.SMTP("127.0.0.1", running.port, timeout=30) as client:
            client.ehlo()
            client.mail(JANE, ["ENVID=QQ+2B1", "RET=FULL"])
            client.rcpt(ROLE, ["NOTIFY=FAILURE", "ORCPT=rfc822;HR@example.test"])
            assert client.data(MAIL)[0] == 250
            report = told(sink, JANE)
            # One, or two where the copies failed further apart than is waited for.
            wait_until(lambda: any(nobody in a.get_content() for a in got(sink, IT)), what="the alert")
            assert sum(nobody in a.get_content() for a in got(sink, IT)) == 1
    check_report(report, original="HR@example.test")
    _, status, original = parts_of(report)
    assert "Hello" in parts_of(original)[0].get_content()
    assert "HR@example.test" in str(parts_of(status)[1]["Original-Recipient"])


@pytest.mark.parametrize(("notify", "action"), [("NEVER", None), ("DELAY", None), ("SUCCESS", "expanded")])
def test_notify_is_obeyed(tmp_path: Path, notify: str, action: str | None) -> None:
    """NOTIFY without FAILURE keeps the sender from hearing of one; SUCCESS tells that the mail was passed on."""
    with Sink() as sink, relay(write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")) as running:
        copied(running, sink, options=(f"NOTIFY={notify}",))
        for who in PARTNERS:
            path = return_path(sink, who)
            assert send(running.port, [("", path, bounce(path, who))])[0].startswith("250")
        told(sink, IT, 2)
        copied(running, sink)
        reports = got(sink, JANE)
    assert len(reports) == (1 if action else 0)
    for report in reports:
        check_report(report, action or "")


def test_a_partners_out_of_office_is_absorbed(tmp_path: Path) -> None:
    """It reaches nobody; that the schedule does not know of it is told to the other partner and IT, once."""
    with Sink() as sink, relay(write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")) as running:
        for _ in range(2):
            copied(running, sink)
            path = return_path(sink, ELAINE)
            assert send(running.port, [("", path, out_of_office(path, ELAINE))])[0].startswith("250")
        notice = told(sink, LAURIE)
        told(sink, IT)
        copied(running, sink)
        assert (len(got(sink, LAURIE)), len(got(sink, IT)), got(sink, JANE)) == (1, 1, [])
        assert not any(b"skiing" in content for _, _, content in sink.taken)
    assert notice["Subject"] == "Elaine's mailbox says Elaine is away"


def test_an_out_of_office_that_the_schedule_knows_is_no_news(tmp_path: Path) -> None:
    """Where the absence stands in the schedule, nobody is told of the mailbox's own answer."""
    with Sink() as sink:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}", ONE_AWAY)
        with relay(config) as running:
            copied(running, sink)
            path = return_path(sink, ELAINE)
            assert send(running.port, [("", path, out_of_office(path, ELAINE))])[0].startswith("250")
            copied(running, sink)
            assert (got(sink, LAURIE), got(sink, IT), got(sink, JANE)) == ([], [], [])


def test_a_token_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    """Made up, altered, or of another relay: refused at RCPT; a person who writes to a true one reaches partners."""
    with Sink() as sink, relay(write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")) as running:
        copied(running, sink)
        true = return_path(sink, ELAINE)
        altered = true.replace("+b-", "+b-b" if true.split("+b-")[1][0] != "b" else "+b-c", 1)
        altered = altered[: len(true) - len("@example.test")] + "@example.test"
        for address in (altered, "vp-hr+b-@example.test", f"vp-hr+b-{'a' * 28}@example.test"):
            (reply,) = send(running.port, [("", address, MAIL)])
            assert reply.startswith("550 5.1.1"), address
        (reply,) = send(running.port, [(JANE, true, mail(f"From: {JANE}\nTo: {true}\nSubject: by hand"))])
        assert reply.startswith("250")
        wait_until(lambda: len(sink.taken) == 4, what="copies of what was written by hand")
    assert {to for _, to, content in sink.taken if b"by hand" in content} == set(PARTNERS)


def test_the_handoff_stays_inside_when_copies_come_back(tmp_path: Path) -> None:
    """Bounces that hold whole copies, out-of-offices that quote them, after kill -9: the word reaches partners alone."""
    canary = "canary" + secrets.token_hex(12)
    with Sink() as sink:
        config = write_configuration(
            tmp_path, f"smtp://127.0.0.1:{sink.port}", ONE_AWAY + "auto_reply: always\n"
        )
        with relay(config) as running:
            set_handoff(running, f"Done:\n- {canary}\n\nLeft:\n- more\n")
            assert all(reply.startswith("250") for reply in send(running.port, flows(), connections=1))
            wait_until(
                lambda: sum(r in PARTNERS for _, r, _ in sink.taken) >= 2 * len(flows()) - 1, what="copies"
            )
            back = [
                ("", path, bounce(path, to, content.decode("latin-1").encode("ascii", "replace")))
                for path, to, content in list(sink.taken)
                if path
            ] + [
                ("", path, out_of_office(path, to) + content)
                for path, to, content in list(sink.taken)
                if path
            ]
            back += [(path, path, content) for path, _, content in list(sink.taken) if path]
            half = len(back) // 3
            first = send(running.port, back[:half], connections=1)
            running.kill()
        with relay(config) as again:
            replies = first + send(again.port, back[half:], connections=1)
            wait_until(lambda: got(sink, JANE), what="a report")
            copied(again, sink)
    assert all(reply.startswith(("250", "554 5.4.6")) for reply in replies), replies
    assert sum(reply.startswith("250") for reply in replies) >= 2 * half
    reached = {recipient for _, recipient, content in sink.taken if canary.encode() in views(content)}
    assert reached == set(PARTNERS)
    assert {IT, JANE} <= {recipient for _, recipient, _ in sink.taken}
    assert canary not in (tmp_path / "serve.log").read_text()


@pytest.mark.skipif(not corpus.available(), reason=corpus.WHY_ABSENT)
def test_every_real_report_is_absorbed(tmp_path: Path) -> None:
    """Each report of the corpus, sent to a copy's return path: taken, answered by nothing, passed to no colleague."""
    wanted = {
        "bounce": "a bounce|a delay notice",
        "report/dsn": "a bounce|a delay notice",
        "auto-reply": "an automatic answer",
        "feedback-loop": "a complaint",
        "machine-report": "an automatic message",
    }
    special = {
        "vacation": "an automatic answer",
        "feedback": "a complaint",
        "delivered": "a delivery receipt",
    }
    with (corpus.FOLDER / "manifest.tsv").open(encoding="utf-8", newline="") as manifest:
        rows = csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE)
        why = {row["file"]: "".join(re.findall(r"\breason=([a-z]+)", row["evidence"])[:1]) for row in rows}
    mails = [found for found in corpus.mails() if found.kind in wanted]
    with Sink() as sink, relay(write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")) as running:
        originals = [
            (JANE, ROLE, MAIL.replace(b"<1@", f"<{number}@".encode())) for number in range(len(mails))
        ]
        assert all(reply.startswith("250") for reply in send(running.port, originals))
        wait_until(lambda: len(sink.taken) == 2 * len(mails), what="copies")
        paths = [path for path, to, _ in sink.taken if to == ELAINE]
        before = len(sink.taken)
        replies = send(
            running.port,
            [
                ("" if m.mail_from is None else m.mail_from, path, m.raw)
                for m, path in zip(mails, paths, strict=True)
            ],
        )
        copied(running, sink)
        after = sink.taken[before:]
        assert running.process.poll() is None
    store = StoreReader(tmp_path / "var/mailrouter.db")
    table: dict[str, Counter[str]] = {}
    right: Counter[str] = Counter()
    passed = 0
    for found, reply in zip(mails, replies, strict=True):
        verdict = "refused: " + reply[:9]
        if reply.startswith("250"):
            entry = drive(store.entry(message_id_of(queue_id(reply))))
            assert entry is not None
            assert [d for d in entry.deliveries if d.kind == "reply"] == []
            verdict = entry.message.reasons[0].partition(" about ")[0]
            passed += len(entry.deliveries)
        table.setdefault(found.kind, Counter())[verdict] += 1
        label = special.get(why[found.file], wanted[found.kind])
        right[found.kind] += verdict in label.split("|")
    for kind, verdicts in sorted(table.items()):
        print(f"{kind:15} {right[kind]:4} of {verdicts.total():4} right: {dict(verdicts.most_common())}")
    print(f"mail after all, copies to partners: {passed}")
    ours = [to for _, to, content in after if b"Mailrouter-You" not in content]
    print(f"told meanwhile: {Counter(ours)}")
    assert set(ours) <= {IT, LAURIE}, "nobody outside heard of any of it"
    assert {to for _, to, _ in after} <= {IT, *PARTNERS}
    for kind, verdicts in table.items():
        assert right[kind] >= 0.98 * verdicts.total(), kind
