"""``/calendar/SECRET.ics``: a feed, to whoever knows its address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from mailrouter.calendars.feeds import Feeds
from mailrouter.web.pages import Answer, Asked, text


class Calendars:
    """The page: 200, 304 for what the client has already, or 404 for everything that is no address in use.

    What was asked is logged nowhere. A client may keep the feed and asks before it uses it again.
    """

    def __init__(
        self, feeds: Callable[[], Feeds], clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._feeds = feeds
        self._clock = clock

    async def __call__(self, asked: Asked) -> Answer:
        """See the class."""
        # A feed is made once a week; that is some tens of milliseconds which mail need not wait for.
        found = await asyncio.to_thread(self._feeds().published, asked.parts.get("secret", ""), self._clock())
        if found is None:
            return text(404, "There is no calendar here.")
        fields = {
            "etag": found.etag,
            "last-modified": found.last_modified,
            "cache-control": "private, no-cache",
        }
        if found.is_known(asked.fields.get("if-none-match", "")):
            return Answer(304, found.content_type, b"", fields)
        return Answer(200, found.content_type, found.body, fields)
