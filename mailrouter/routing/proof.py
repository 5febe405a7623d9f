"""Who wrote a mail to the handoff or the schedule address, and what proves it. Pure.

A From field is anybody's to write. What counts is that our own mail server checked it (DMARC, RFC 7489 §6), or
that the partner's mailbox confirms it. Coming from a trusted network proves nothing: behind a mail server all
mail comes from there.
"""

from __future__ import annotations

import re

from mailrouter.address import canonical, domain_of, split_tag
from mailrouter.message.head import Head
from mailrouter.routing.verdict import dmarc_pass
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
_PART_OF_BODY = re.compile(rb"(?:\A|;)\s*l\s*=")


def named_author(head: Head, role: Role) -> Person | None:
    """The partner whose registered address, and nobody else's, stands in From; in whatever form."""
    written_by = head.mailboxes("from")
    if len(written_by) != 1 or len(head.raw_values("from")) != 1:
        return None
    address = canonical(written_by[0].address)
    return next((person for person in role.partners if canonical(person.email) == address), None)


def unproven(
    head: Head, role: Role, author: Person, authserv_id: str | None, trusted: bool, tag: str = TAG
) -> str:
    """Why it is not proven that ``author`` wrote this mail to the role's address with ``tag``; ``""``: it is.

    ``trusted`` says that it came from one of our own servers: an Authentication-Results field from anybody
    else is anybody's. The very address has to stand in To, or else whoever has some signed mail of a partner's
    could send it there once more. In Cc it is not enough: many signatures leave out a Cc that was not there, so
    anybody can add one. By its Message-ID a mail is known that was worked on before.
    """
    if not authserv_id:
        return "no mail server is named whose checks are believed (authserv_id)"
    if not trusted:
        return "it did not come from one of our own servers (trusted_networks)"
    if not dmarc_pass(head, authserv_id, domain_of(author.email)):
        return f"{authserv_id} does not say dmarc=pass"
    if _ONE_MAILBOX.fullmatch(head.raw_values("from")[0].strip()) is None:
        return "its From field can be read in more than one way"
    if twice := next((name for name in _ONCE if len(head.raw_values(name)) > 1), ""):
        return f"it has more than one {twice} field"
    if head.message_id is None:
        return "it has no Message-ID by which it would be known again"
    if any(map(_PART_OF_BODY.search, head.raw_values("dkim-signature"))):
        return "its signature covers only a part of it (DKIM l=)"
    named = {split_tag(mailbox.address) for mailbox in head.mailboxes("to")}
    if not any((address, tag) in named for address in (role.address, *role.aliases)):
        return f"the {tag} address does not stand in To"
    return ""
