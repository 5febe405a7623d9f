"""Consequences of a mail server's findings: silence, or trust (RFC 8601). Pure."""

from __future__ import annotations

from collections.abc import Collection

from mailrouter.address import domain_of
from mailrouter.message.head import Head
from mailrouter.message.provenance.hops import Provenance
from mailrouter.routing.findings import Findings, findings
from mailrouter.routing.model import Verdicts


def verdicts(head: Head, authserv_id: str | None, found: Findings | None = None) -> Verdicts:
    """The verdicts that keep us silent, believed only where ``authserv_id`` is configured.

    They are believed of whoever handed the mail in: a sender who forges one is not answered, and gains nothing.
    """
    if not authserv_id:
        return Verdicts()
    found = findings(head, authserv_id) if found is None else found
    spam = any(_says_yes(head.raw_value(name)) for name in ("x-spam-flag", "x-spam-status"))
    return Verdicts(spam=spam, dmarc_fail=found.dmarc == "fail")


def dmarc_pass(head: Head, authserv_id: str | None, domain: str, way: Provenance | None = None) -> bool:
    """Whether our mail server found From to be of ``domain``. Whoever else says so."""
    return findings(head, authserv_id, way).dmarc_pass(domain)


def vouched_for(head: Head, found: Findings, our_domains: Collection[str]) -> bool:
    """Whether our mail server vouches for From's domain, or for the login."""
    if found.signed_in(our_domains):
        return True
    domains = {domain_of(mailbox.address) for mailbox in head.mailboxes("from")}
    return len(domains) == 1 and len(head.raw_values("from")) == 1 and found.dmarc_pass(domains.pop())


def _says_yes(raw: bytes | None) -> bool:
    """Whether a spam flag begins with yes, as it stands: nothing in it is decoded."""
    return raw is not None and raw[:100].strip(b" \t\r\n").lower().startswith(b"yes")
