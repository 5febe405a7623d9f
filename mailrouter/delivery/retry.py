"""The times of tries, and their end. Pure.

RFC 5321 §4.5.4.1 asks for at least 30 minutes between tries and for four to five days of trying; a relay that
stands beside its mail server can try sooner, for the fault is mostly a restart.
"""

from __future__ import annotations

from mailrouter.config.retry_settings import Retry
from mailrouter.config.values.durations import span
from mailrouter.smtp.replies import Reply
from mailrouter.store.ids import Milliseconds
from mailrouter.store.model import Cause, Delivery, Outcome

JITTER = 0.2
_MOST_DOUBLINGS = 30


def next_try(attempts: int, now: Milliseconds, chance: float, retry: Retry) -> Milliseconds:
    """The moment of the next try after ``attempts`` failed ones: each wait is twice the one before, up to
    ``retry.most``.

    ``chance`` in [0, 1) spreads the tries by up to 20 % earlier.
    """
    if attempts <= 0:
        return now
    step = min(retry.first * 2 ** min(attempts - 1, _MOST_DOUBLINGS), retry.most)
    return now + int(1000 * step * (1 - JITTER * chance))


def gives_up(delivery: Delivery, now: Milliseconds, retry: Retry) -> bool:
    """Whether a delivery has been tried, or has waited, for long enough."""
    return now - delivery.created_at > 1000 * retry.give_up


def takes_long(delivery: Delivery, now: Milliseconds, retry: Retry) -> bool:
    """Whether the sender may hear by now that it takes long."""
    return retry.delay_notice is not None and now - delivery.created_at >= 1000 * retry.delay_notice


def outcome(delivery: Delivery, reply: Reply, now: Milliseconds, chance: float, retry: Retry) -> Outcome:
    """The meaning of a reply for a delivery: 2yz delivered, 5yz failed, everything else temporary.

    A full mailbox (552 without 5.3.4, or 5.2.2) is temporary: partners empty theirs (RFC 5321 §4.5.3.1.10). So is a
    refusal of us (``Reply.waits``); where the time is over, that is what is told (RFC 3463 §3.5, X.4.7).
    Of a message that stays inside, a server's words may quote the handoff: its codes alone are kept.
    """
    said = str(reply) if reply.ours or not delivery.inside else reply.codes
    if reply.positive:
        return Outcome(delivery.id, "delivered", said, now)
    full = (reply.code == 552 and "5.3.4" not in reply.text) or (
        reply.code // 100 == 5 and "5.2.2" in reply.text[:8]
    )
    if reply.code // 100 == 5 and not full and not reply.waits:
        return Outcome(delivery.id, "failed", said, now)
    if gives_up(delivery, now, retry):
        words = f"451 4.4.7 Not delivered within {span(retry.give_up)}: {said}" if reply.waits else said
        return Outcome(delivery.id, "failed", words, now, expired=True)
    again = next_try(delivery.attempts + 1, now, chance, retry)
    cause: Cause = "connection" if reply.lost else ""
    return Outcome(delivery.id, "queued", said, now, again, cause=cause)
