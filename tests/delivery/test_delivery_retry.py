"""When a delivery is tried again, and what a reply means for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.config.retry_settings import Retry
from mailrouter.delivery.retry import next_try, outcome, takes_long
from mailrouter.smtp.replies import Reply
from tests.support.messages import T0, deliveries_of

DELIVERY = deliveries_of(1, 10)[0]
MINUTE = 60_000
USUAL = Retry()
GIVE_UP = 5 * 24 * 60 * MINUTE


@given(st.integers(1, 500), st.floats(0, 1, exclude_max=True))
def test_the_first_retry_comes_soon_and_later_ones_every_half_hour(attempts: int, chance: float) -> None:
    """Within five minutes at first, never more than 30 minutes apart, never at once (RFC 5321 §4.5.4.1)."""
    wait = next_try(attempts, T0, chance, USUAL) - T0
    assert MINUTE <= wait <= 30 * MINUTE
    if attempts == 1:
        assert wait <= 2 * MINUTE
    if attempts <= 2:
        assert wait <= 5 * MINUTE
    if attempts >= 5:
        assert wait >= 24 * MINUTE


@given(st.integers(1, 20), st.floats(0, 0.99))
def test_waits_never_get_shorter_with_attempts(attempts: int, chance: float) -> None:
    """With the same chance each wait is at least as long as the one before."""
    assert next_try(attempts + 1, T0, chance, USUAL) >= next_try(attempts, T0, chance, USUAL)


def test_chance_spreads_the_tries() -> None:
    """Two deliveries that failed together are not tried at the same moment."""
    assert next_try(5, T0, 0.0, USUAL) - next_try(5, T0, 0.5, USUAL) == 3 * MINUTE


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (Reply(250, "2.0.0 ok"), "delivered"),
        (Reply(251, "2.1.5 will forward"), "delivered"),
        (Reply(550, "5.1.1 no such user"), "failed"),
        (Reply(554, "5.7.1 refused"), "failed"),
        (Reply(552, "5.3.4 too large"), "failed"),
        (Reply(552, "5.2.2 mailbox full"), "queued"),
        (Reply(552, "quota exceeded"), "queued"),
        (Reply(550, "5.2.2 over quota"), "queued"),
        (Reply(450, "4.2.0 greylisted"), "queued"),
        (Reply(421, "4.3.2 closing"), "queued"),
        (Reply(451, "4.4.2 connection lost"), "queued"),
        (Reply(354, "out of place"), "queued"),
    ],
)
def test_what_a_reply_means(reply: Reply, state: str) -> None:
    """2yz is delivered, 5yz failed but for a full mailbox, all else is tried again."""
    result = outcome(DELIVERY, reply, T0, 0.0, USUAL)
    assert result.state == state
    assert (result.retry_at > T0) == (state == "queued")
    assert result.reply == str(reply)


def test_after_five_days_a_temporary_failure_is_final() -> None:
    """Until then it is queued."""
    reply = Reply(450, "4.2.0 later")
    assert outcome(DELIVERY, reply, T0 + GIVE_UP, 0.0, USUAL).state == "queued"
    assert outcome(DELIVERY, reply, T0 + GIVE_UP + 1, 0.0, USUAL).state == "failed"
    assert outcome(DELIVERY, Reply(250, ""), T0 + GIVE_UP + 1, 0.0, USUAL).state == "delivered"


@given(st.floats(0.1, 3600), st.floats(0.1, 86400), st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_any_setting_backs_off_to_its_most(first: float, most: float, attempts: int, chance: float) -> None:
    """Whatever is configured: never longer than ``most``, never less than 80 % of the shorter of both."""
    wait = next_try(attempts, T0, chance, Retry(first, most)) - T0
    assert int(800 * min(first, most)) <= wait <= 1000 * most


def test_the_sender_may_hear_after_four_hours_or_never() -> None:
    """From the set time on; never where that was set."""
    assert not takes_long(DELIVERY, T0 + 4 * 60 * MINUTE - 1, USUAL)
    assert takes_long(DELIVERY, T0 + 4 * 60 * MINUTE, USUAL)
    assert not takes_long(DELIVERY, T0 + GIVE_UP, Retry(delay_notice=None))
