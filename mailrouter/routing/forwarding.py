"""What may be done to a copy on its way to one person's mailbox. Pure.

``auto`` changes a copy wherever that does no damage. A changed copy no longer matches its DKIM signature, which a
strict server before a mailbox outside may mind: roles with such partners say ``forwarding: companion``, until the
sender's policy can be looked up here.
"""

from __future__ import annotations

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
    return "change", ""
