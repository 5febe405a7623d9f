"""The writer of a mail, by its envelope and header. Pure."""

from __future__ import annotations

from mailrouter.address import canonical, domain_of, split_tag
from mailrouter.message.head import Head
from mailrouter.message.provenance.senders import before_forwarding, untagged
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.routing.findings import is_rewritten
from mailrouter.routing.model import Sender, Situation


def sender_of(head: Head, situation: Situation) -> Sender:
    """The sender, by the reverse-path first.

    Inside is only who is so by everything that the mail says. A server before us that rewrites return paths (SRS)
    makes strangers' look like ours, and an answer would go to the stranger: such a path proves nothing. Where a
    mail server is named whose checks are believed, it has to vouch for the author as well.

    Somebody counts as a partner if the reverse-path is theirs, whatever tag their server put before it (BATV), or
    if it is of our domains and the From field is theirs: a From field alone, from anywhere, must not keep a partner
    from getting a copy. Nor may an address that our own mail server found to be forged.
    """
    path = canonical(situation.reverse_path)
    ours = situation.our_domains
    at_home = domain_of(path) in ours and not is_rewritten(path)
    vouched = situation.vouched
    written_by = head.mailboxes("from")
    keys = {person.mailbox: person.key for person in situation.role.partners}
    inside = (
        domain_of(path) in ours
        and (at_home if vouched is None else vouched)
        and (bool(written_by) or not head.has("from"))
        and not _strangers(written_by, ours)
        and not _strangers(head.mailboxes("reply-to"), ours)
    )
    partner = None
    if path and not situation.verdicts.dmarc_fail:
        author = _partner(canonical(written_by[0].address), keys) if written_by else None
        partner = _partner(canonical(untagged(path)), keys)
        # A forwarder's address (SRS) can be anybody's work: it counts where the From field says the same.
        if partner is None and author is not None and _partner(before_forwarding(path), keys) == author:
            partner = author
        if partner is None and at_home:
            partner = author
    everyone = (path, *(canonical(mailbox.address) for mailbox in written_by))
    is_ours = partner is not None or any(
        _partner(address, keys) or split_tag(address)[0] in situation.ours for address in everyone if address
    )
    read_by = (*head.mailboxes("to"), *head.mailboxes("cc"))
    overheard = any(
        domain_of(mailbox.address) not in ours and canonical(mailbox.address) not in keys
        for mailbox in read_by
    )
    return Sender(path, inside, partner, is_ours, overheard)


def _partner(address: str, keys: dict[str, str]) -> str | None:
    """The key of the partner with this address, tag or not."""
    return keys.get(address) or (keys.get(split_tag(address)[0]) if "+" in address else None)


def _strangers(mailboxes: tuple[Mailbox, ...], ours: frozenset[str]) -> bool:
    return any(domain_of(mailbox.address) not in ours for mailbox in mailboxes)
