"""Limits of reports to a sender, and who hears of policy refusals.

Whoever writes in a stranger's name would have us send that stranger a report for each mail (backscatter), so reports
are counted as automatic replies are: by mailbox, domain and role, and over all, each day (UTC). What is over a cap is
counted in the store (``Reading.capped``) and stands in the metrics and in ``check --live``.
"""

from __future__ import annotations

from mailrouter.address import domain_of, mailbox_of
from mailrouter.message.head import Head
from mailrouter.moments import day_of
from mailrouter.routing.findings import findings
from mailrouter.runtime.context import Desk
from mailrouter.runtime.origin import trusts, way_of
from mailrouter.schedule.model import Role
from mailrouter.store.ids import MessageId, Milliseconds
from mailrouter.store.model import Message, ReplyMemory

MOST_REPORTS = (("mailbox", 20), ("domain", 100), ("role", 200), ("all", 1000))
"""Reports of one kind a day, at most: to one mailbox (with all its sub-addresses), to its domain, of one role, and over
all."""


def remembered(kind: str, message: Message, role: Role, at: Milliseconds) -> ReplyMemory:
    """The memory on which one report about a mail depends. ``kind`` is ``report``, ``delay`` or ``success``."""
    sender = message.reverse_path
    scopes = {"mailbox": mailbox_of(sender), "domain": domain_of(sender), "role": role.key, "all": ""}
    caps = tuple((f"{kind} {name} {scopes[name]}".strip(), most) for name, most in MOST_REPORTS)
    return ReplyMemory(told_once(kind, message.id, role.key), at, 0, day_of(at), caps, kind)


def told_once(kind: str, message: MessageId, role: str) -> str:
    """The memory's key for a sender told of a role's message."""
    return f"{kind} {message} {role}"


def tellable(desk: Desk, message: Message, head: Head, status: str) -> bool:
    """Whether the sender may hear of a refusal with this enhanced status.

    One for security or policy (RFC 3463 §3.8, X.7.z) is mostly of spam, whose sender is mostly forged: it is told only
    to a sender for whom something speaks.
    """
    return status.split(".")[1:2] != ["7"] or vouched(desk, message, head)


def vouched(desk: Desk, message: Message, head: Head) -> bool:
    """Whether the return path is likely to be the true sender's.

    It is one of our domains through a server of ours, or one for which our mail server vouches, by SPF or by DMARC for
    a From related to it.
    """
    settings = desk.configuration.settings
    domain = domain_of(message.reverse_path)
    if domain in settings.our_domains and trusts(settings.trusted_networks, message.client):
        return True
    found = findings(head, settings.authserv_id, way_of(settings, head, message.client))
    if found.spf_pass(domain):
        return True
    authors = {domain_of(mailbox.address) for mailbox in head.mailboxes("from")}
    author = authors.pop() if len(authors) == 1 else ""
    related = f".{domain}".endswith(f".{author}") or f".{author}".endswith(f".{domain}")
    return related and "." in domain and "." in author and found.dmarc_pass(author)
