"""Reading what comes back to our return paths: a bounce, a delay, somebody's out-of-office … Pure; never raises.

The fields of RFC 3464, 3834, 5965 and 8098 are believed first; then the words, since many servers write
only those. What is automatic in any way is at least ``other-report``: nothing of it is for a colleague.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from mailrouter.address import canonical, split_tag
from mailrouter.message.absence import says_away
from mailrouter.message.classify import classify
from mailrouter.message.dsn import wording
from mailrouter.message.dsn.status import STATUS_KINDS, read_status, verdict
from mailrouter.message.head import Head
from mailrouter.message.parts import Part, leaves
from mailrouter.message.provenance.senders import (
    is_automatic_subject,
    is_bounce_subject,
    is_mail_daemon,
    is_robot,
    speaks_for_a_server,
    untagged,
)
from mailrouter.message.shape import Shape

Kind = Literal["failed", "delayed", "delivered", "auto-reply", "feedback", "receipt", "other-report"]

MAX_READ = 256 * 1024
"""Octets of a message, from its first one on, that are ever looked at here."""
_MAX_WORDS = 8 * 1024

_RECEIPTS = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
_ANSWER_FIELDS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoreply-from",
    "x-mail-autoreply",
    "x-auto-reply",
    "x-autoresponder",
    "x-vacation",
)
_ANSWER_WORDS = frozenset({"auto_reply", "auto-reply", "auto-replied", "auto-notified"})
_COMPLAINT = re.compile(r"\s*(?:complaint about message from [0-9]|unsubscribe\Z|list-unsubscribe\b)", re.I)
# Aggregate reports have subjects of their own (RFC 7489 §7.2.1.1, RFC 8460 §5.3), and answer nobody.
_AGGREGATE = re.compile(r"\s*(?:dmarc )?(?:aggregate )?report domain:", re.I)
_QUOTES = re.compile(r"^[ \t]{0,3}>", re.M)
_FORWARDED = re.compile(r"\A(?:\s*(?:fwd?|wg|tr|rv|re)\s*:)+", re.I)  # is_bounce_subject passes over blanks
# Amazon SES tells in JSON, as mail from SNS (docs.aws.amazon.com/ses, notification contents).
_NOTIFIED = re.compile(r'"(?:notificationType|eventType)"\s*:\s*"(Bounce|Complaint|Delivery|DeliveryDelay)"')
_NOTIFIED_KINDS: dict[str, Kind] = {
    "Bounce": "failed",
    "Complaint": "feedback",
    "Delivery": "delivered",
    "DeliveryDelay": "delayed",
}


@dataclass(frozen=True, slots=True)
class Bounce:
    """The content of a report, as far as it could be read.

    ``status`` is an enhanced code (RFC 3463), found or inferred, ``diagnostic`` is one line of at most 200
    characters; each is empty where nothing says it. ``in_field``: the diagnostic is the report's own Diagnostic-Code;
    found among words, it may as well be a line of the mail that is quoted there. All of it is a stranger's words and
    may name partners.
    """

    kind: Kind
    status: str = ""
    diagnostic: str = ""
    in_field: bool = False


@dataclass(frozen=True, slots=True)
class _Report:
    """The message as it is judged. ``words`` is what its sender wrote, without what is returned below.

    ``by_machine``: nobody waits for an answer; ``by_server``: it speaks as a mail server does;
    ``automatic``: either of these, or any other sign of a program.
    """

    head: Head
    parts: tuple[Part, ...]
    subject: str
    words: str
    by_machine: bool
    by_server: bool
    automatic: bool


def read_bounce(head: Head, shape: Shape, body: bytes, reverse_path: str | None) -> Bounce | None:
    """A bounce's report, or None for mail that a person wrote.

    ``body`` is the raw message from its first octet on; of it ``MAX_READ`` octets are read. ``reverse_path``
    is the envelope's sender, ``""`` or ``"<>"`` for the null one, None where it is not known.
    """
    report = _read(head, shape, body[:MAX_READ], reverse_path)
    for judge in (_complaint, _receipt, _status_report, _server_bounce, _answer, _other_bounce):
        if found := judge(report):
            return found
    if report.automatic:
        return Bounce("other-report", diagnostic=wording.one_line(report.subject))
    return None


def unmarked_absence(head: Head, shape: Shape, body: bytes, reverse_path: str, mailbox: str) -> Bounce | None:
    """An unmarked out-of-office answer from ``mailbox``, or None. The copy went to that very mailbox.

    For mail in which ``read_bounce`` found nothing automatic, at a return path of ours: no program that people use
    writes there, but an answer by a rule or an agent does. It counts as one if its author is the mailbox and it says
    that somebody is away. What quotes a mail is an answer by hand, whatever it says.
    """
    mine = canonical(mailbox)
    authors = [reverse_path, *(box.address for box in head.mailboxes("from"))]
    if not any(canonical(author) == mine or split_tag(untagged(author))[0] == mine for author in authors):
        return None
    report = _read(head, shape, body[:MAX_READ], reverse_path)
    if _QUOTES.search(report.words) or not says_away(f"{report.subject}\n{report.words}"):
        return None
    return Bounce("auto-reply", diagnostic=wording.one_line(report.subject))


def _read(head: Head, shape: Shape, raw: bytes, reverse_path: str | None) -> _Report:
    parts = leaves(head, raw[shape.body_start :])
    texts = [part for part in parts if part.kind.startswith("text/") and not part.returned]
    plain = [part for part in texts if part.kind != "text/html"] or texts
    words = "\n".join(wording.server_words(part.text()) for part in plain[:5])[:_MAX_WORDS]
    path = None if reverse_path is None else reverse_path.strip().removeprefix("<").removesuffix(">")
    null_path = path == "" or (head.raw_value("return-path") or b"").strip() == b"<>"
    nature = classify(head, shape)
    senders = head.mailboxes("from")
    said = head.text("from") or ""  # "Mail Delivery Subsystem <MAILER-DAEMON>" is no mailbox
    speakers = [(box.address, box.display) for box in senders] or [(said, said)]
    by_server = (
        bool(path and is_mail_daemon(path))
        or head.has("x-failed-recipients")
        or any(speaks_for_a_server(*speaker) for speaker in speakers)
        or any(is_mail_daemon(word) for word, _ in speakers)
    )
    subject = head.text("subject") or ""
    by_machine = (
        null_path
        or head.has("auto-submitted")
        or bool(path and is_robot(path))
        or any(is_robot(address) for address, _ in speakers)
    )
    automatic = (
        by_machine
        or by_server
        or nature.automatic
        or nature.report
        or nature.list
        or is_automatic_subject(subject)
    )
    return _Report(head, parts, subject, words, by_machine, by_server, automatic)


def _complaint(report: _Report) -> Bounce | None:
    """A feedback report (RFC 5965), or a complaint in an older form."""
    for part in report.parts:
        if part.kind == "message/feedback-report":
            fields = Head(part.decoded().lstrip(b"\r\n"))
            why = fields.structured("feedback-type") or report.subject
            return Bounce("feedback", diagnostic=wording.one_line(why))
    said = report.head.parameter("content-type", "report-type") or ""
    if said.lower() == "feedback-report" or (report.automatic and _COMPLAINT.match(report.subject)):
        return Bounce("feedback", diagnostic=wording.one_line(report.subject))
    return None


def _receipt(report: _Report) -> Bounce | None:
    """A disposition notification (RFC 8098): read, deleted, and so on."""
    for part in report.parts:
        if part.kind in _RECEIPTS:
            fields = Head(part.decoded().lstrip(b"\r\n"))
            return Bounce("receipt", diagnostic=wording.one_line(fields.structured("disposition") or ""))
    return None


def _status_report(report: _Report) -> Bounce | None:
    """A delivery status notification (RFC 3464), or what is left of one."""
    recipients = [one for part in report.parts if part.kind in STATUS_KINDS for one in read_status(part)]
    kind = verdict(recipients)
    if not recipients or not kind:
        return None
    judged = [one for one in recipients if verdict([one]) == kind]
    why = next((one.diagnostic for one in judged if one.diagnostic), "")
    status = next((one.status for one in judged if one.status), "")
    return Bounce(
        kind=kind,
        status=status or wording.status_of(why or report.words, kind),
        diagnostic=wording.one_line(why or wording.diagnostic_in(report.words) or report.subject),
        in_field=bool(why),
    )


def _server_bounce(report: _Report) -> Bounce | None:
    """A bounce in words, by somebody who seems a mail server."""
    words = report.words
    if notified := _NOTIFIED.search(words):
        found = _in_words(report, _NOTIFIED_KINDS[notified[1]])
        return found if found.kind in ("failed", "delayed") else replace(found, status="")
    if not report.by_server:
        return None
    if (
        is_bounce_subject(report.subject)
        or wording.says_failed(words)
        or report.head.has("x-failed-recipients")
    ):
        return _in_words(report)
    if wording.says_failed(report.subject) or any(part.returned for part in report.parts):
        return _in_words(report)
    return _in_words(report) if wording.says_delayed("", words) else None


def _answer(report: _Report) -> Bounce | None:
    """An out-of-office (RFC 3834 §5), or another program's answer to a person."""
    head = report.head
    words = {
        value.partition(";")[0].partition("(")[0].strip().lower()
        for name in ("auto-submitted", "precedence")
        for value in head.all_structured(name)
    }
    if (
        head.first_of(_ANSWER_FIELDS)
        or words & _ANSWER_WORDS
        or (is_automatic_subject(report.subject) and not _AGGREGATE.match(report.subject))
        or (report.by_machine and says_away(f"{report.subject}\n{report.words}"))
    ):
        return Bounce("auto-reply", diagnostic=wording.one_line(report.subject))
    return None


def _other_bounce(report: _Report) -> Bounce | None:
    """A bounce whose sender does not look like a server: the null reverse-path, or its subject, tells."""
    subject = _FORWARDED.sub("", report.subject, count=1)
    told = is_bounce_subject(subject) or wording.says_failed(subject)
    failed = wording.says_failed(report.words)
    returned = any(part.returned for part in report.parts)
    # Words alone don't tell on a list, where people write about mailboxes that are full.
    if (report.by_machine and failed) or (told and (failed or returned)):
        return _in_words(report)
    return None


def _in_words(report: _Report, kind: Kind | None = None) -> Bounce:
    words = report.words
    if kind is None:
        kind = "delayed" if wording.says_delayed(report.subject, words) else "failed"
    return Bounce(
        kind=kind,
        status=wording.status_of(words, kind),
        diagnostic=wording.diagnostic_in(words) or wording.one_line(report.subject),
    )
