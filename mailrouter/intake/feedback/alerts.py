"""Alerts and notices about a mailbox in trouble, with their memories.

The operator gets alerts, the other partners notices.

Each of them hears of one mailbox at most once an hour. That nobody has a mail is told apart from it.
"""

from __future__ import annotations

from dataclasses import replace

from mailrouter import keyed
from mailrouter.address import canonical
from mailrouter.intake.feedback.affected import ALIVE
from mailrouter.intake.feedback.incident import Incident
from mailrouter.moments import HOUR_MS, Milliseconds, day_of, hour_of, milliseconds
from mailrouter.routing.letters.undelivered import Trouble, operator_alert, partner_notice
from mailrouter.runtime.context import Desk
from mailrouter.runtime.rows import own_message
from mailrouter.schedule.model import Person
from mailrouter.store import ids
from mailrouter.store.ids import DeliveryId
from mailrouter.store.model import Claim, Consequence, ReplyMemory

NOBODY_AN_HOUR = 20
"""Alerts of an hour that nobody has a mail, each about one mail of a role."""


def told_to(incident: Incident, trouble: Trouble, again: Milliseconds) -> list[Consequence]:
    """To the operator first, then to the other partners: each at most once in ``again`` milliseconds."""
    desk, delivery, others = incident.desk, incident.delivery, incident.others(trouble.role)
    # Two mailboxes that fail would tell of each other's notices for ever; and no mail is missing.
    partners = () if trouble.ours else incident.partners(trouble.role)
    message = delivery.message
    claim: tuple[Claim, DeliveryId] = ("", ids.NO_DELIVERY)
    if trouble.news != "away":
        claim = ("failing" if trouble.news == "failing" else "failed", delivery.id)
    role, at = trouble.role, milliseconds(trouble.moment)
    operator = desk.configuration.settings.postmaster
    to_whom: list[tuple[str, Person | None]] = []
    if desk.role_of(operator)[0] != role:  # its own loop mark would have that refused at our door
        to_whom.append((operator, None))
    failed = canonical(trouble.recipient)
    to_whom += [(person.email, person) for person in partners if person.mailbox != failed]
    found = []
    about = trouble.news if trouble.news in ("away", "failing") else "trouble"
    # A copy that was sent once more, and came back once more, is news.
    sent_again = (str(delivery.about),) if delivery.about and not trouble.ours else ()
    for address, person in to_whom:
        key = told_key(desk, about, role.key, failed, canonical(address), *sent_again)
        memory = ReplyMemory(key, at, at - again, day_of(at), ())
        if person is not None:
            words = partner_notice(trouble, person, desk.wording)
            notice = own_message(message, "notice", role.key, address, words, at)
            notice.claim, notice.about = claim
            # Whose copy ends together with this one has a mailbox that does not take this notice either.
            own = tuple(copy.id for copy in others if copy.recipient == address and copy.state == "queued")
            found.append(Consequence(notice, own, ("failed", "bounced"), memory))
            continue
        words = operator_alert(trouble, address, desk.wording)
        alert = own_message(message, "alert", role.key, address, words, at)
        alert.claim, alert.about = claim
        told = Consequence(alert, memory=memory)
        found.append(
            told
            if about != "trouble" or trouble.ours
            else _nobody_has_it(incident, trouble, told, sent_again)
        )
    return found


def _nobody_has_it(
    incident: Incident, trouble: Trouble, told: Consequence, sent_again: tuple[str, ...]
) -> Consequence:
    """The alert that no partner has a mail, or else ``told``. ``told`` holds where one has it, or may still get it.

    Which of them it is, the transaction decides: two copies may end in the same moment. Each mail has one such alert,
    however many copies failed (and one for each copy that was sent again, ``sent_again``); those beyond
    ``NOBODY_AN_HOUR`` are listed together (``live.lost_mail``).
    """
    role, at, desk = trouble.role, milliseconds(trouble.moment), incident.desk
    others = incident.others(role)
    lost = tuple(copy.recipient for copy in others)
    address = told.delivery.recipient
    made = operator_alert(replace(trouble, have=(), trying=(), lost=lost, nobody=True), address, desk.wording)
    key = told_key(desk, "nobody", role.key, canonical(address), trouble.queue, *sent_again)
    caps = ((f"nobody {role.key}", NOBODY_AN_HOUR),)
    alert = own_message(told.delivery.message, "alert", role.key, address, made, at)
    alert.claim, alert.about = "nobody", told.delivery.about
    return Consequence(
        alert,
        tuple(copy.id for copy in others),
        ALIVE,
        ReplyMemory(key, at, at - HOUR_MS, hour_of(at), caps),
        told,
        role.key,
    )


def told_key(desk: Desk, about: str, *names: str) -> str:
    """The key of the memory that something was told: keyed, for the table is not to tell whose mailbox had troubles."""
    return f"told {keyed.memory_key(desk.keys.memory, chr(0).join((about, *names)))}"
