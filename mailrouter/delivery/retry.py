"""When to try again. Pure.

RFC 5321 §4.5.4.1 asks for at least 30 minutes between tries and for four to five days of trying; a relay that
stands beside its mail server can try sooner, for the fault is mostly a restart.
"""

from __future__ import annotations

from mailrouter.smtp.client import Reply
from mailrouter.store.model import Delivery, Milliseconds, Outcome

MINUTE = 60_000
STEPS = (2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE)
JITTER = 0.2
GIVE_UP = 5 * 24 * 60 * MINUTE
DELAYED = 4 * 60 * MINUTE
"""After this long without success the sender may hear of the delay, once."""


def next_try(attempts: int, now: Milliseconds, chance: float) -> Milliseconds:
    """When to try after ``attempts`` failed ones; ``chance`` in [0, 1) spreads the tries by up to 20 %
    earlier."""
    step = STEPS[min(attempts, len(STEPS)) - 1] if attempts > 0 else 0
    return now + int(step * (1 - JITTER * chance))


def outcome(delivery: Delivery, reply: Reply, now: Milliseconds, chance: float) -> Outcome:
    """What a reply means for a delivery: 2yz delivered, 5yz failed, everything else temporary.

    A full mailbox (552 without 5.3.4, or 5.2.2) is temporary: partners empty theirs (RFC 5321 §4.5.3.1.10).
    """
    if 200 <= reply.code < 300:
        return Outcome(delivery.id, "delivered", str(reply), now)
    full = (reply.code == 552 and "5.3.4" not in reply.text) or (
        reply.code // 100 == 5 and "5.2.2" in reply.text[:8]
    )
    if (reply.code // 100 == 5 and not full) or now - delivery.created_at > GIVE_UP:
        return Outcome(delivery.id, "failed", str(reply), now)
    return Outcome(delivery.id, "queued", str(reply), now, next_try(delivery.attempts + 1, now, chance))
