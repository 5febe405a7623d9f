"""A line on copies that tells of another partner's failing mailbox. Pure."""

from __future__ import annotations

from mailrouter.routing.model import CopyDraft, Draft, Situation
from mailrouter.routing.note import silence
from mailrouter.schedule.date_words import called


def tell_of_unreached(draft: Draft, situation: Situation) -> Draft:
    """Tell partners, on their copies, whose mailbox has failed for a day. It ends when the mailbox works again."""
    if not situation.unreached or silence(draft, situation):
        return draft
    copies = tuple(copy._replace(unreached=_lines(copy, situation)) for copy in draft.copies)
    if not any(copy.unreached for copy in copies):
        return draft
    names = called(situation.role)
    reasons = [
        f"the others read that {names[key]}'s mailbox has been failing" for key, _ in situation.unreached
    ]
    return draft._replace(copies=copies, reasons=(*draft.reasons, *reasons))


def _lines(copy: CopyDraft, situation: Situation) -> str:
    if not copy.partner:
        return ""
    return "".join(
        situation.wording.unreached(situation.role, situation.duty, key, since)
        for key, since in situation.unreached
        if key != copy.person.key
    )
