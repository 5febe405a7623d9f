"""Which permanent refusals speak of a mail, and which of us: the table, row by row."""

from __future__ import annotations

import pytest

from mailrouter.smtp.refusals import TABLE, About, Demand, about, advice_in, demand, judged, needs_opinion
from mailrouter.smtp.replies import Reply

ROWS: tuple[tuple[str, str, About], ...] = (
    # a login or TLS is demanded
    ("mail", "530 5.7.0 Must issue a STARTTLS command first", "server"),
    ("mail", "530 5.7.1 Authentication required", "server"),
    ("rcpt", "535 5.7.8 Authentication credentials invalid", "server"),
    ("data", "538 5.7.11 Encryption required", "server"),
    ("dot", "530 5.7.57 Client not authenticated to send mail", "server"),
    # a status of us, though the content was read
    ("dot", "550 5.7.64 TenantAttribution; Relay Access Denied", "server"),
    ("dot", "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP", "server"),
    # no relaying, though the content was read
    ("dot", "550 5.7.1 Unable to relay for this one", "unclear"),
    # the content was read
    ("dot", "554 5.7.1 Spam message rejected", "mail"),
    ("dot", "550-5.7.26 Unauthenticated email is not accepted due to the domain's DMARC policy", "mail"),
    ("dot", "552 5.3.4 Message size exceeds fixed limit", "mail"),
    ("dot", "554 Transaction failed", "mail"),
    ("dot", "550 5.7.23 SPF validation failed", "mail"),
    # the size, or a loop
    ("mail", "552 5.3.4 Message size exceeds fixed limit", "mail"),
    ("rcpt", "554 5.4.6 Routing loop detected", "mail"),
    # we and the server do not understand each other
    ("rcpt", "504 5.5.2 <mail>: Helo command rejected: need fully-qualified hostname", "server"),
    ("mail", "503 5.5.1 Error: send HELO/EHLO first", "server"),
    ("mail", "502 5.5.1 Command not implemented", "server"),
    # DATA
    ("data", "554 Transaction failed", "server"),
    ("data", "554 5.3.2 System not accepting messages", "server"),
    ("data", "550 5.7.1 Data command rejected", "unclear"),
    ("data", "550 5.1.1 No such user", "unclear"),
    # a status of us
    ("rcpt", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", "unclear"),
    ("rcpt", "550 5.7.25 The IP address has no PTR record", "unclear"),
    ("rcpt", "550 5.3.5 Local configuration error", "unclear"),
    # the return path
    ("rcpt", "550 5.1.8 <hr+b-x@a.test>: Sender address rejected: Domain not found", "unclear"),
    ("mail", "553 5.1.7 Bad sender's mailbox address syntax", "unclear"),
    # MAIL
    ("mail", "550 5.7.1 Access denied", "unclear"),
    ("mail", "554 no", "unclear"),
    ("mail", "555 5.5.4 Unsupported option", "unclear"),
    # no such user, whatever else is said
    ("rcpt", "550 5.1.1 <m@a.test>: User unknown in relay recipient table; client host [192.0.2.1]", "mail"),
    # words of relaying, logins, TLS or this host
    ("rcpt", "554 5.7.1 <m@a.test>: Relay access denied", "unclear"),
    ("rcpt", "550 relay not permitted", "unclear"),
    ("rcpt", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "unclear"),
    ("rcpt", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using rbl.test", "unclear"),
    ("rcpt", "550 5.1.2 We do not relay", "unclear"),
    # the address, the mailbox, the content
    ("rcpt", "550 5.1.10 RESOLVER.ADR.RecipientNotFound", "mail"),
    ("rcpt", "550 5.2.1 Mailbox disabled", "mail"),
    ("rcpt", "552 5.2.2 Mailbox full; access denied", "mail"),
    ("rcpt", "550 5.6.7 no", "mail"),
    # full
    ("rcpt", "552 quota exceeded", "mail"),
    # words of a mailbox
    ("rcpt", "550 No such user here", "mail"),
    ("rcpt", "550 Mailbox unavailable", "mail"),
    ("rcpt", "553 unknown recipient", "mail"),
    # the rest of RCPT
    ("rcpt", "550 5.7.1 no", "unclear"),
    ("rcpt", "550 5.4.1 Recipient address rejected: Access denied", "unclear"),
    ("rcpt", "554 no", "unclear"),
    ("rcpt", "550 5.3.0 rejected", "unclear"),
    # no reply of the server's
    ("", "552 5.3.4 too large", "mail"),
)


def reply_of(line: str) -> Reply:
    """A reply from its one line."""
    return Reply(int(line[:3]), line[4:])


@pytest.mark.parametrize(("stage", "line", "wanted"), ROWS)
def test_a_refusal_speaks_of(stage: str, line: str, wanted: About) -> None:
    """Stage, code, status and words together tell."""
    assert about(stage, reply_of(line)) == wanted


def test_every_rule_is_met_by_a_row() -> None:
    """No rule of the table stands there unproven."""
    met = set()
    for stage, line, _ in ROWS:
        reply = reply_of(line)
        for rule in TABLE:
            status = next(
                (w[2:] for w in reply.text.split()[:1] if w.startswith("5.") and w.count(".") == 2), ""
            )
            if stage in rule.stages and rule.fits(reply.code, status, reply.text.lower()):
                met.add(rule.reason)
                break
    assert met == {rule.reason for rule in TABLE}


def test_our_own_objection_is_about_the_mail() -> None:
    """What we said ourselves tells nothing of the server."""
    assert about("mail", Reply(552, "5.3.4 larger than it takes", own=True)) == "mail"


DENIED, LOGIN, GONE = (
    reply_of(line)
    for line in ("554 5.7.1 Relay access denied", "530 5.7.0 Authentication required", "550 5.1.1 unknown")
)
YES, LATER = Reply(250, "2.1.5 ok"), Reply(451, "4.7.1 greylisted")


@pytest.mark.parametrize(
    ("stage", "reply", "other", "wanted"),
    [
        ("rcpt", DENIED, None, "server"),
        ("rcpt", DENIED, DENIED, "server"),
        ("rcpt", DENIED, LATER, "server"),
        ("rcpt", DENIED, GONE, "server"),
        ("rcpt", DENIED, YES, "mail"),
        ("mail", DENIED, DENIED, "server"),
        ("mail", DENIED, YES, "mail"),
        ("mail", LOGIN, YES, "server"),
        ("rcpt", LOGIN, YES, "wait"),
        ("rcpt", LOGIN, LOGIN, "server"),
        ("rcpt", GONE, None, "mail"),
        ("dot", LOGIN, None, "server"),
    ],
)
def test_what_is_said_to_somebody_else_decides(
    stage: str, reply: Reply, other: Reply | None, wanted: str
) -> None:
    """A yes to another makes it a verdict on this one; anything else leaves it ours."""
    assert judged(stage, reply, other) == wanted


@pytest.mark.parametrize(
    ("stage", "reply", "wanted"),
    [
        ("rcpt", DENIED, True),
        ("rcpt", LOGIN, True),
        ("mail", DENIED, True),
        ("mail", LOGIN, False),
        ("rcpt", GONE, False),
        ("data", DENIED, False),
        ("rcpt", LATER, False),
    ],
)
def test_a_second_opinion_is_asked_only_where_it_can_tell(stage: str, reply: Reply, wanted: bool) -> None:
    """Nobody is asked about a mailbox that is not there, nor after DATA."""
    assert needs_opinion(stage, reply) is wanted


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("530 5.7.0 Must issue a STARTTLS command first", "tls"),
        ("530 5.7.0 Authentication required", "login"),
        ("530 5.7.1 no", "login"),
        ("538 5.7.11 no", "login"),
        ("550 5.7.10 no", "tls"),
        ("553 5.7.1 Sender address rejected: not logged in", "login"),
        ("554 5.7.1 <m@a.test>: Relay access denied", "relay"),
        ("550 relay not permitted", "relay"),
        ("550 5.7.1 Unable to relay", "relay"),
        ("554 5.7.1 Client host rejected: Access denied", "client"),
        ("550 5.7.1 no", ""),
    ],
)
def test_what_the_server_demands_is_read_from_its_words(line: str, wanted: Demand) -> None:
    """A login, TLS, leave to relay, or that this host be let in."""
    assert demand(reply_of(line)) == wanted


def test_a_greeting_that_turns_us_away_has_advice() -> None:
    """The connection's own error holds the reply; one without a reply has none."""
    assert "trusts" in advice_in("The server does not take mail now: 554 5.7.1 no")
    assert advice_in("127.0.0.1:25 can't be reached: Connection refused") == ""
