"""The partners of a day, and its schedule before anybody's absence. Pure."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from mailrouter.schedule.model import Person, Role, Shift
from mailrouter.schedule.rota import shifts_on


class Terms:
    """The arrangement's time, each partner's, and who has a former partner's hours."""

    def __init__(self, role: Role) -> None:
        self._role = role
        self._partners = {person.key: person for person in role.partners}
        self._bounded = any(p.since or p.until or p.follows for p in role.partners)
        self._special = dict(role.special_days)
        self.zones = {person.key: person.time_zone for person in role.people if person.time_zone}

    def runs(self, day: date) -> bool:
        """Whether ``day`` lies within the time of the arrangement."""
        role = self._role
        return (role.since is None or day >= role.since) and (role.until is None or day <= role.until)

    def partner(self, key: str, day: date) -> bool:
        """Whether this person may have hours on ``day``: a stand-in always, a partner within their time."""
        person = self._partners.get(key)
        return person is None or person.is_partner_on(day)

    def instead(self, key: str, day: date) -> str | None:
        """The person who has these hours on ``day``: they themselves, or whoever follows them; None is nobody."""
        if not self._bounded:
            return key
        for _ in range(len(self._partners) + 1):
            if self.partner(key, day):
                return key
            follower = self._follower(key, day)
            if follower is None:
                return None
            key = follower.key
        return None

    def shifts(self, day: date) -> tuple[Shift, ...]:
        """The shifts that begin on ``day``: what is said of that day, else the rota's."""
        special = self._special.get(day)
        return shifts_on(self._role.rota, day) if special is None else special

    def special(self, day: date) -> bool:
        """Whether ``day`` has shifts of its own, which public holidays leave alone."""
        return day in self._special

    def zone(self, key: str) -> ZoneInfo:
        """The zone in which this person's own times are written."""
        return self.zones.get(key) or self._role.time_zone

    def _follower(self, key: str, day: date) -> Person | None:
        """The partner who follows; of several that one who is a partner on ``day``."""
        following = [p for p in self._partners.values() if p.follows == key]
        now = (p for p in following if p.is_partner_on(day))
        return next(now, following[-1] if following else None)
