"""A store whose answers have to be waited for, as those of one across a network are."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from mailrouter.store.protocols import Reading, Store

TURNS = 3


class Waiting:
    """``asked`` as it is; but whoever awaits one of its answers waits for some turns of others first.

    Of a store only what is asked of it waits: what it writes does so by itself.
    """

    def __init__(self, asked: Store | Reading) -> None:
        self.__dict__["_asked"] = asked

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._asked, name)
        if name == "reader":
            return Waiting(found)
        if not inspect.iscoroutinefunction(found) or (name != "shown" and hasattr(self._asked, "reader")):
            return found

        async def later(*arguments: Any, **named: Any) -> Any:
            for _ in range(TURNS):
                await asyncio.sleep(0)
            return await found(*arguments, **named)

        return later

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._asked, name, value)
