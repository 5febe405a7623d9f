"""Who wrote, as far as the envelope and the From field tell. Pure."""

from __future__ import annotations

from mailrouter.address import canonical, domain_of, split_tag
from mailrouter.message.head import Head
from mailrouter.routing.model import Sender, Situation


def sender_of(head: Head, situation: Situation) -> Sender:
    """The sender, by the reverse-path first.

    Somebody counts as a partner if the reverse-path is theirs, or if the From field is and the reverse-path is
    empty or of our domains: a From field alone, from anywhere, must not keep a partner from getting a copy.
    """
    path = canonical(situation.reverse_path)
    inside = domain_of(path) in situation.our_domains
    written_by = [canonical(mailbox.address) for mailbox in head.mailboxes("from")]
    keys = {canonical(person.email): person.key for person in situation.role.partners}
    partner = keys.get(path)
    if partner is None and written_by and (not path or inside):
        partner = keys.get(written_by[0])
    everyone = {path, *written_by}
    ours = partner is not None or any(
        address in keys or split_tag(address)[0] in situation.ours for address in everyone if address
    )
    return Sender(path, inside, partner, ours)
