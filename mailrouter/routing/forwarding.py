"""The form that one person's copy may have: changed, untouched with a companion, or untouched alone. Pure.

``auto`` changes a copy wherever that does no damage. A changed copy no longer matches its DKIM signature: the new
body breaks every one, new Reply-To or Cc fields break those that name them. A server that checks DMARC then refuses
the copy (RFC 7489 §6.6), so mail for a mailbox outside stays as it came. Inside, our own servers trust the relay.
"""

from __future__ import annotations

from collections.abc import Iterator

from mailrouter.address import canonical, domain_of
from mailrouter.message.classify import Nature
from mailrouter.routing.model import Situation, Way
from mailrouter.schedule.model import Person, Role


def way_of(person: Person, nature: Nature, situation: Situation) -> tuple[Way, str]:
    """The form of this person's copy, and what forbids changing it."""
    setting = situation.role.forwarding
    if setting == "untouched":
        return "untouched", "copies stay as they came (forwarding: untouched)"
    if setting == "companion":
        return "companion", "the role asks for it (forwarding: companion)"
    if nature.wrap_refusal is not None:
        return "companion", nature.wrap_refusal
    if setting == "auto" and is_outside(person.email, situation.our_domains):
        why = "the mailbox is outside, and its server may refuse a changed copy as forged (forwarding: auto)"
        return "companion", why
    return "change", ""


def is_outside(address: str, our_domains: frozenset[str]) -> bool:
    """Whether an address is of none of our domains."""
    return domain_of(canonical(address)) not in our_domains


def wrapped_outside(role: Role, our_domains: frozenset[str]) -> Iterator[str]:
    """A warning for each outside mailbox that gets changed copies. The role's file says so."""
    if role.forwarding != "wrap":
        return
    for person in role.partners:
        if is_outside(person.email, our_domains):
            yield (
                f"{person.first_name}'s mailbox ({person.email}) is outside `our_domains`, and `forwarding: wrap` "
                "breaks the signature (DKIM) of each copy with a note: servers that check DMARC refuse such mail. "
                "Write `forwarding: auto`"
            )
