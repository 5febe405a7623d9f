"""Addresses and subjects of programs (RFC 3834 §2, RFC 5230 §4.6). Pure.

Words that programs have been writing for thirty years; a person who writes like this loses at most an
automatic answer.
"""

from __future__ import annotations

import re

from mailrouter.caching import cached_by_text
from mailrouter.message.absence import is_absence_subject

# Bounce Address Tag Validation (draft-levine-smtp-batv-01 §3), as Exchange, Barracuda, IronPort and SparkPost write it.
_BATV = re.compile(r"(?:prvs|btv1|msprvs1)=+[^=@]{1,64}+=+", re.I)
_BATV_BEHIND = re.compile(r"prvs=([^=/@]{1,64}+)/[0-9a-z]{4,32}+\Z", re.I)
# Sender Rewriting Scheme: SRS0=hash=day=domain=local@forwarder, and SRS1 where a second server forwards it.
_SRS = re.compile(
    r"(?:SRS1[=+-][^=]{1,40}+=[^=]{1,255}+=)?(?:SRS0)?[=+-][^=]{1,40}+=[^=]{1,8}+=([^=]{1,255}+)=(.+)\Z",
    re.I | re.S,
)
_ROBOT = re.compile(
    r"""
    (?: mail(?:er)?[._-]?daemon | mailer | m?daemon | listserv | majordomo | mailman | post[._-]?master
      | postmast | auto[._-]?(?:reply|responder|response|mailer) | vacation | root | cron | www-data | nobody
      | mail[._-]?delivery(?:[._-].*)? | delivery[._-](?:subsystem|status|failure|report).*
    ) (?:[+=].*)? \Z
    | owner- | .*-owner\Z | .*-request\Z | .*[-+._]bounces?(?:[-+=._0-9]|\Z) | bounce
    | .*-(?:return|errors?)(?:[-+=][0-9]|\Z)
    | (?:.*[._+=-])? (?: no | not | do[._-]?not | dont | never ) [._-]?
      (?: repl(?:y|ies|yto) | respon[ds]e? | answer | return ) (?: [._+=0-9-] | \Z )
    | ne[._-]?pas[._-]?repondre | (?:bitte[._-]?)?nicht[._-]?antworten | no[._-]?responder | nao[._-]?responda
    """,
    re.I | re.X,
)
_DAEMON = re.compile(r"(?:mail(?:er)?[._-]?daemon|m?daemon|mail[._-]?delivery)(?:[-+=].*)?\Z", re.I)
_POSTMASTER = re.compile(r"(?:postmaster|postmast|mailer|administrator|system)\Z", re.I)
_MAIL_SYSTEM = re.compile(
    r"mail(?:er)?[ -]?daemon|delivery (?:sub)?system|postmaster|system administrator|mail administrator"
    r"|internet mail delivery|mail ?server|microsoft outlook\b|notification",
    re.I,
)


def _beginnings(*phrases: str) -> re.Pattern[str]:
    return re.compile(r"\s*\[?(?:" + "|".join(phrases) + ")", re.I)


_BOUNCE = _beginnings(
    r"(?:bounced?|undeliverable|undelivered)\b",
    r"non-?deliver(?:y|able)",
    r"delivery (?:status )?(?:notification|failure|failed|report|error|problem|delayed|has failed|not )",
    r"fail(?:ed|ure) (?:notice|notification|delivery)",
    r"(?:mail|message|delivery) (?:could |can )?not be deliver",
    r"(?:e-?mail|message) (?:delivery|system) (?:failed|failure|error|problem|delayed|status)",
    r"(?:mail|message) (?:could not|delayed|undeliverable|failure|status|error|returned|rejected)",
    r"return(?:ed)? (?:e-?mail|message|to sender|receipt)",
    r"(?:rejected|undeliverable) (?:mail|message)",
    r"warning:? (?:message|could not|e?mail)",
    r"error (?:sending|delivering)",
    r"(?:user|recipient|address) (?:unknown|not found)",
    r"message you sent (?:was )?(?:blocked|not)",
    r"unzustellbar|onbestelbaar|non remis|no se puede entregar|impossibile recapitare",
    r"(?:nachricht|benachrichtigung|notificación|notification)\b.{0,40}(?:fehlgeschl|zustell|estado|état)",
)
# What Hotmail's complaints and DMARC reports (RFC 7489 §7.2.1.1) always begin with.
_REPORTED = _beginnings(r"complaint about message from [0-9]", r"report domain: *\S+ submitter:")


def untagged(address: str) -> str:
    """The address without its own server's bounce tag (BATV). No proof of anything.

    >>> untagged("prvs=1234abcdef=laurie@partner.test")
    'laurie@partner.test'
    """
    local, at, domain = address.rpartition("@")
    behind = _BATV_BEHIND.match(local)
    return (behind[1] if behind else _BATV.sub("", local, count=1)) + at + domain


def before_forwarding(address: str) -> str:
    """The sender's address before a forwarder rewrote it (SRS). ``""`` for any other. No proof of anything.

    >>> before_forwarding("SRS0=HHH=TT=partner.test=laurie@forwarder.test")
    'laurie@partner.test'
    """
    local = address.rpartition("@")[0]
    found = _SRS.match(local) if local[:3].upper() == "SRS" else None
    return f"{found[2]}@{found[1]}" if found else ""


def local_part(address: str) -> str:
    """The local part, without quotes and bounce tags (prvs=, btv1=)."""
    local = address.rpartition("@")[0] if "@" in address else address
    return _BATV.sub("", local.strip().strip('"'), count=1)


@cached_by_text(1024)
def is_robot(address: str) -> bool:
    """Whether the address is a daemon's, a list's, or takes no answers."""
    return _ROBOT.match(local_part(address)) is not None


@cached_by_text(1024)
def is_mail_daemon(address: str) -> bool:
    """Whether mail servers report under this name."""
    return _DAEMON.match(local_part(address)) is not None


def speaks_for_a_server(address: str, display: str) -> bool:
    """Whether a mail server may speak, by address or shown name."""
    local = local_part(address)
    return bool(_DAEMON.match(local) or _POSTMASTER.match(local) or _MAIL_SYSTEM.search(display))


def is_bounce_subject(subject: str) -> bool:
    """Whether the subject begins as those of delivery reports."""
    return _BOUNCE.match(subject) is not None


def is_automatic_subject(subject: str) -> bool:
    """Whether the subject is an out-of-office's, or a program's report's."""
    return is_absence_subject(subject) or _REPORTED.match(subject) is not None
