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
_ONE_MAILBOX = re.compile(
    rb'\s*(?:"[^"\\<>]*"|[^"\\<>()@,;:\[\]]*)\s*<[^<>@\s"]+@[^<>@\s"]+>\s*|\s*[^<>@\s",;:()]+@\S+\s*'
)


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
    else is anybody's. The very address has to stand in To or Cc, or else whoever has some signed mail of a
    partner's could send it there once more.
    """
    if not authserv_id:
        return "no mail server is named whose checks are believed (authserv_id)"
    if not trusted:
        return "it did not come from one of our own servers (trusted_networks)"
    if not dmarc_pass(head, authserv_id, domain_of(author.email)):
        return f"{authserv_id} does not say dmarc=pass"
    if _ONE_MAILBOX.fullmatch(head.raw_values("from")[0]) is None:
        return "its From field can be read in more than one way"
    named = {split_tag(mailbox.address) for mailbox in head.mailboxes("to", "cc")}
    if not any((address, tag) in named for address in (role.address, *role.aliases)):
        return f"the {tag} address stands neither in To nor in Cc"
    return ""
