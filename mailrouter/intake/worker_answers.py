"""Work of a decision that is done elsewhere: the decision is made again as soon as what it misses is there.

Deciding is pure and stays so: where it needs something that takes long, such as a role's file checked with all
the others, it asks ``Answers.of``. What isn't known yet is ``Missing``; ``decide`` has it worked out, remembers it, and
decides once more. A decision misses two or three things at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from mailrouter.errors import MailrouterError
from mailrouter.worker.frames import request
from mailrouter.worker.worker import Calls, WorkerFailed

T = TypeVar("T")

MAIL_SECONDS = 15.0
"""For all that one mail has worked out elsewhere, however many roles it is for."""


class Missing(Exception):
    """Something that a decision needs isn't worked out yet."""

    def __init__(self, key: bytes, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.key, self.function, self.arguments = key, function, arguments
        super().__init__(function.__name__)


class Answers:
    """The results worked out for one mail. Without ``calls`` it is done at once, where it is asked for.

    ``ahead``: the mail is proven, so what it needs comes before what others need.
    """

    def __init__(self, calls: Calls | None = None, *, ahead: bool = False) -> None:
        self._calls, self._ahead = calls, ahead
        self._known: dict[bytes, tuple[Any, Exception | None]] = {}
        self._left = MAIL_SECONDS
        self._failed: WorkerFailed | None = None

    def of(self, function: Callable[..., T], *arguments: Any) -> T:
        """The result of ``function``. Raises what it raises, WorkerFailed, and Missing where it isn't known yet."""
        if self._calls is None:
            return function(*arguments)
        key = request(function, arguments)
        if key not in self._known:
            raise Missing(key, function, arguments)
        value, error = self._known[key]
        if error is not None:
            raise error
        found: T = value
        return found

    async def decide(self, make: Callable[[], Awaitable[T]]) -> T:
        """The result of ``make``, once nothing is missing.

        Each time it reads anew what the store knows, for that may be another by then. Raises what it raises, and
        WorkerBusy.
        """
        while True:
            try:
                return await make()
            except Missing as missing:
                self._known[missing.key] = await self._worked_out(missing)

    async def _worked_out(self, missing: Missing) -> tuple[Any, Exception | None]:
        """The answer, or what was raised. After one failure nothing more is tried for this mail."""
        if self._failed is None and self._left <= 0:
            self._failed = WorkerFailed(
                f"it takes more than {MAIL_SECONDS:.0f} seconds for all its addresses"
            )
        if self._failed is not None:
            return None, self._failed
        assert self._calls is not None
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            return await self._calls.call(missing.function, *missing.arguments, ahead=self._ahead), None
        except WorkerFailed as failed:
            self._failed = failed
            return None, failed
        except MailrouterError as error:
            return None, error
        finally:
            self._left -= clock() - began
