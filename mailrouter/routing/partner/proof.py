"""The author of a mail for partners, and its proof. It came to the handoff or the schedule address. Pure.

A From field is anybody's to write. What counts is that our own mail server checked it (DMARC, RFC 7489 §6), or
that the partner's mailbox confirms it. Coming from a trusted network proves nothing: behind a mail server all
mail comes from there.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mailrouter.address import canonical, domain_of, split_tag
from mailrouter.message.head import Head
from mailrouter.message.provenance.signature import read_signature
from mailrouter.routing.findings import Findings, findings, may_be_aligned
from mailrouter.schedule.model import Person, Role
from mailrouter.trust.confirmations import TAG

# One mailbox that no two readers take apart in two ways: no comment, group, route, list or second quote.
# No two neighbours match the same octets: the time is linear, whatever comes in.
_ONE_MAILBOX = re.compile(
    rb'(?:"[^"\\<>]*"\s*|[^"\\<>()@,;:\[\]]*)<[^<>@\s",;:()]+@[^<>@\s",;:()]+>|[^<>@\s",;:()]+@[^<>@\s",;:()]+'
)
_ONCE = ("From", "Sender", "Reply-To", "To", "Cc", "Message-ID", "Subject", "Date", "Content-Type")
"""Fields that stand once (RFC 5322 §3.6, RFC 2045 §3). A signature covers the lowest of each name (RFC 6376 §5.4.2), so
one more above them goes unseen."""
_COVERED = ("from", "to", "subject", "date", "message-id")
"""What a signature has to cover if the mail is proven by it: the address in To and the Message-ID, or else anybody who
has a signed mail could address it anew; and what the mail is about."""
_MOST_SIGNATURES = 20


def named_author(head: Head, role: Role) -> Person | None:
    """The partner whose registered address, and nobody else's, stands in From; in whatever form."""
    written_by = head.mailboxes("from")
    if len(written_by) != 1 or len(head.raw_values("from")) != 1:
        return None
    written = written_by[0].address
    address = canonical(written)
    found = next((person for person in role.partners if person.mailbox == address), None)
    # In lower case some signs beyond ASCII are letters of it: U+212A is a k.
    return found if found is None or written.isascii() or not found.email.isascii() else None


class Checks(NamedTuple):
    """Our own mail server's findings on a mail, by ``authserv_id``; ``found`` is read from its fields where it is left
    out.

    ``trusted`` says that the mail came from one of our own servers: an Authentication-Results field from anybody else
    is anybody's.
    """

    authserv_id: str | None
    trusted: bool
    found: Findings | None = None


def unproven(head: Head, role: Role, author: Person, checks: Checks, tag: str = TAG) -> str:
    """The reason why ``author``'s writing isn't proven, ``""`` if it is.

    The mail came to the role's address with ``tag``.

    The very address has to stand in To, or else whoever has some signed mail of a partner's
    could send it there once more. In Cc it is not enough: many signatures leave out a Cc that was not there, so
    anybody can add one. By its Message-ID a mail is known that was worked on before.
    """
    authserv_id, trusted, found = checks
    if not authserv_id:
        return "no mail server is named whose checks are believed (authserv_id)"
    if not trusted:
        return "it did not come from one of our own servers (trusted_networks)"
    domain = domain_of(author.email)
    found = findings(head, authserv_id) if found is None else found
    if not found.dmarc_pass(domain):
        return f"{authserv_id} does not say dmarc=pass"
    if _ONE_MAILBOX.fullmatch(head.raw_values("from")[0].strip()) is None:
        return "its From field can be read in more than one way"
    if twice := next((name for name in _ONCE if len(head.raw_values(name)) > 1), ""):
        return f"it has more than one {twice} field"
    if head.message_id is None:
        return "it has no Message-ID by which it would be known again"
    if not found.spf_pass(domain) and (gap := _gap_in_signatures(head, domain)):
        return gap
    named = {split_tag(mailbox.address) for mailbox in head.mailboxes("to")}
    if not any((address, tag) in named for address in (role.address, *role.aliases)):
        return f"the {tag} address does not stand in To"
    return ""


def _gap_in_signatures(head: Head, domain: str) -> str:
    """The gap in a signature on which DMARC may rest; ``""``: whatever it rested on covers enough.

    Which of several signatures passed, nobody says for certain, so every one of them that may be aligned has to
    be good. Somebody who sends an old mail of the partner's on can add signatures and fields, but can't take the
    old signature away, nor change what it covers; so they are held by its ``h=``. A mail without any signature has
    passed by SPF, which is about the very hop to our server, and no old mail brings that with it.
    """
    fields = [field for field in head.fields if field.name == "dkim-signature"]
    if len(fields) > _MOST_SIGNATURES:
        return "it has too many signatures"
    for (name, start, end), value in zip(fields, head.raw_values("dkim-signature"), strict=True):
        signature = read_signature(value)
        if signature is None or head.raw[start:end].find(b":") != len(name):
            return "one of its signatures can't be read"
        if not may_be_aligned(signature.domain, domain):
            continue
        if signature.part_of_body:
            return "its signature covers only a part of it (DKIM l=)"
        if bare := [name for name in _COVERED if name not in signature.covered]:
            return f"its signature does not cover {', '.join(bare)}"
    return ""
