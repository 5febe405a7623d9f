"""When the weekly mail is due: by the clocks of the role's zone, once a week, whatever they do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from mailrouter.schedule.model import Weekly
from mailrouter.schedule.views.weekly import days_told, last_due

FRIDAY_AT_THREE = Weekly(("sue@example.test",))
BERLIN = ZoneInfo("Europe/Berlin")


def test_the_last_friday_at_three() -> None:
    """A minute before it is last week's."""
    due = datetime(2026, 12, 4, 15, tzinfo=BERLIN)
    assert last_due(FRIDAY_AT_THREE, BERLIN, due) == due
    assert last_due(FRIDAY_AT_THREE, BERLIN, due - timedelta(minutes=1)) == datetime(
        2026, 11, 27, 15, tzinfo=BERLIN
    )
    assert last_due(FRIDAY_AT_THREE, BERLIN, due + timedelta(days=6)) == due


def test_the_days_it_tells_of() -> None:
    """In the afternoon from the next day, in the morning from that very day."""
    friday = last_due(FRIDAY_AT_THREE, BERLIN, datetime(2026, 12, 4, 15, tzinfo=BERLIN))
    assert days_told(FRIDAY_AT_THREE, BERLIN, friday) == (date(2026, 12, 5), date(2026, 12, 11))
    monday = Weekly((), 0, 8 * 60)
    due = last_due(monday, BERLIN, datetime(2026, 12, 7, 12, tzinfo=BERLIN))
    assert days_told(monday, BERLIN, due) == (date(2026, 12, 7), date(2026, 12, 13))


@given(
    st.sampled_from(["Europe/Berlin", "America/Los_Angeles", "Pacific/Apia", "Australia/Lord_Howe", "UTC"]),
    st.integers(0, 6),
    st.integers(0, 1439),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
)
def test_it_is_due_once_a_week(place: str, weekday: int, minute: int, now: datetime) -> None:
    """The last moment is not after now and less than a week and an hour before it, on its weekday; a week on it is
    another."""
    zone, weekly = ZoneInfo(place), Weekly((), weekday, minute)
    due = last_due(weekly, zone, now)
    assert due <= now < due + timedelta(days=7, hours=1)
    assert last_due(weekly, zone, due) == due
    following = last_due(weekly, zone, now + timedelta(days=7))
    assert timedelta(days=6, hours=22) <= following - due <= timedelta(days=7, hours=2)
