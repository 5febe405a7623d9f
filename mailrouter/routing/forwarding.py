"""What may be done to a copy on its way to one person's mailbox. Pure.

A changed copy no longer matches its DKIM signature, so a strict server outside may refuse it; inside our own
domains no such server stands before the mailbox.
"""

from __future__ import annotations

from mailrouter.address import domain_of
from mailrouter.message.classify import Nature
from mailrouter.routing.model import Situation, Way
from mailrouter.schedule.model import Person


def way_of(person: Person, nature: Nature, situation: Situation) -> tuple[Way, str]:
    """How this person's copy may be made, and what keeps it from being changed."""
    setting = situation.role.forwarding
    if setting == "untouched":
        return "untouched", "copies stay as they came (forwarding: untouched)"
    if setting == "companion":
        return "companion", "the role asks for it (forwarding: companion)"
    if nature.wrap_refusal is not None:
        return "companion", nature.wrap_refusal
    if setting != "wrap" and domain_of(person.email) not in situation.our_domains:
        return (
            "companion",
            f"{person.first_name}'s mailbox is outside and might refuse a changed copy (forwarding: auto)",
        )
    return "change", ""
