"""The feeds by their secret addresses, for whatever listens for HTTP."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime

from mailrouter.calendars.cache import folder_of, kept_of, with_kept
from mailrouter.calendars.feed_secret import generations, name_of
from mailrouter.config import Configuration
from mailrouter.errors import StoreError
from mailrouter.keyed import same
from mailrouter.moments import moment_at
from mailrouter.schedule.ical.feed import feed
from mailrouter.schedule.localtime import day_start, local_day
from mailrouter.schedule.model import Role
from mailrouter.trust.calendar_address import SECRET, feed_secret

log = logging.getLogger("mailrouter.calendars")

CONTENT_TYPE = "text/calendar; charset=utf-8"
WEEKS_BACK, WEEKS_AHEAD = 4, 26
"""What a feed holds, in whole weeks, so that it changes by itself once a week only."""
Earlier = Sequence[tuple[bytes, int]]
"""Keys before the current one, each with the moment until which it is accepted, in milliseconds."""
_OLDEST = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Published:
    """A feed ready to be sent. ``etag`` (with its quotes) and ``last_modified`` are header values (RFC 9110 §8.8)."""

    body: bytes
    etag: str
    last_modified: str
    content_type: str = CONTENT_TYPE

    def is_known(self, if_none_match: str = "") -> bool:
        """Whether the client has it already, by its If-None-Match: 304 is the answer then (RFC 9110 §13.1.2)."""
        given = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
        return self.etag in given or "*" in given


class Feeds:
    """All feeds of one configuration; made anew when it changes. ``key`` is the relay's, ``earlier`` those before it.

    While an earlier key is accepted, so are the addresses that it made: nobody is told when a calendar that they
    subscribed to stays as it was. They say themselves that they end; one that was taken out of use has ended.

    ``published`` works for tens of milliseconds the first time in a week, else for less than one; it may be called from
    any thread.
    """

    def __init__(self, configuration: Configuration, key: bytes, earlier: Earlier = ()) -> None:
        self.configuration = with_kept(configuration)
        """With the absences of partners' calendars."""
        self._key, self._earlier = key, earlier
        self._made: dict[tuple[str, str, datetime | None], tuple[date, str, Published]] = {}
        self._told: set[str] = set()

    def published(self, secret: str, now: datetime) -> Published | None:
        """The feed with this secret, or None. An address that was taken out of use is None from then on."""
        if not SECRET.fullmatch(secret):
            return None
        found: tuple[Role, str, datetime | None] | None = None
        for key, until in self._accepted(now):
            for role, partner, known in self._addresses(key, now):
                if same(known, secret):  # no early end: how long it takes tells nothing
                    found = role, partner, until
        return self._of(*found, now) if found else None

    def secret(self, role: Role, partner: str = "") -> str:
        """The secret of a role's or a partner's feed. Raises StoreError."""
        word = generations(self.configuration.settings.run_folder).get(name_of(role.key, partner), "")
        return feed_secret(self._key, role.key, partner, word)

    def _accepted(self, now: datetime) -> Iterator[tuple[bytes, datetime | None]]:
        """The keys by which addresses are known, each with its end."""
        yield self._key, None
        for key, until in self._earlier:
            if now < (end := moment_at(until)):
                yield key, end

    def _addresses(self, key: bytes, now: datetime) -> Iterator[tuple[Role, str, str]]:
        """Each role's feed, and those of who is a partner today."""
        try:
            words = generations(self.configuration.settings.run_folder)
        except StoreError as error:
            log.error("%s", error)
            return
        for role in self.configuration.roles:
            today = local_day(now, role.time_zone)
            partners = (person.key for person in role.partners if person.is_partner_on(today))
            for partner in ("", *partners):
                word = words.get(name_of(role.key, partner), "")
                yield role, partner, feed_secret(key, role.key, partner, word)

    def _of(self, role: Role, partner: str, until: datetime | None, now: datetime) -> Published:
        today = local_day(now, role.time_zone)
        monday = today - timedelta(days=today.weekday())
        changed = changed_at(self.configuration, role)
        if until is not None and (name := name_of(role.key, partner)) not in self._told:
            self._told.add(name)
            log.warning(
                "the calendar feed of %s is still read from the address before rotate-key, which ends at %s",
                name,
                until.isoformat(),
            )
        known = self._made.get((role.key, partner, until))
        if known is not None and known[:2] == (monday, changed.isoformat()):
            return known[2]
        start, end = feed_range(role, now)
        body = feed(role, start, end, changed, partner or None, until)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        made = Published(body, etag, format_datetime(max(changed, _week_began(monday, role)), usegmt=True))
        self._made[role.key, partner, until] = monday, changed.isoformat(), made
        return made


def feed_range(role: Role, now: datetime) -> tuple[datetime, datetime]:
    """The range of a feed at ``now``: from a Monday four weeks back to one half a year ahead."""
    today = local_day(now, role.time_zone)
    monday = today - timedelta(days=today.weekday())
    first, last = monday - timedelta(weeks=WEEKS_BACK), monday + timedelta(weeks=WEEKS_AHEAD)
    return day_start(first, role.time_zone), day_start(last, role.time_zone)


def changed_at(configuration: Configuration, role: Role) -> datetime:
    """The last change of a feed's sources: the role's file, or what was read of a partner's calendar."""
    moments = [_OLDEST]
    for name in (f"{role.key}.yaml", f"{role.key}.yml"):
        try:
            seconds = int((configuration.folder / "roles" / name).stat().st_mtime)
            moments.append(datetime.fromtimestamp(seconds, UTC))
        except (OSError, OverflowError, ValueError):
            continue
    for person in role.partners:
        if person.calendar and (at := kept_of(folder_of(configuration), role, person).changed_at):
            moments.append(at)
    return max(moments)


def _week_began(monday: date, role: Role) -> datetime:
    return datetime.combine(monday, time.min, tzinfo=role.time_zone).astimezone(UTC)
