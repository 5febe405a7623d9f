"""The listener: uvicorn and Starlette inside the service's own loop, held to short reads.

Nothing of what was asked is logged: an address may hold a secret.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import os
import socket
from collections.abc import Iterator
from typing import Any

from mailrouter.errors import MailrouterError
from mailrouter.extras import installing
from mailrouter.web.pages import Answer, Asked, Page, Pages, text

log = logging.getLogger("mailrouter.web")

NEEDED = ("starlette", "uvicorn", "prometheus_client")
PAGE_SECONDS = 10.0
"""So long a page may take to be made."""
CONNECTION_SECONDS = 15.0
"""So long a connection lives at most: neither a client that never ends its request nor one that reads nothing keeps
one."""
HEADER_SECONDS = 3.0
"""So long a connection may take to say what it asks for."""
MAX_CONNECTIONS = 100
"""With one more, the oldest that asks for nothing is ended: slow ones don't keep out whoever looks after the service."""
MAX_AT_WORK = 40
"""Pages that are made at a time; the other connections are for those that take no time (``/healthz``)."""
QUICK = ("/healthz",)
MAX_HEADER = 8192
_FIELDS = {"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}


def missing() -> tuple[str, str] | None:
    """The packages that ``web:`` lacks, with advice; None where everything is installed."""
    absent = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if not absent:
        return None
    return (
        f"web: needs what is not installed ({', '.join(absent)})",
        f"install it, {installing('web')}, or remove the line",
    )


class Listener:
    """Serves ``pages`` at ``host``:``port`` from ``start`` to ``close``."""

    def __init__(self, host: str, port: int, pages: Pages) -> None:
        self.address: tuple[str, int] = (host, port)
        self._pages = pages
        self._server: Any = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen. Raises MailrouterError."""
        if lacking := missing():
            raise MailrouterError("; ".join(lacking))
        host, port = self.address
        try:
            bound = _bound(host, port)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise MailrouterError(f"Nothing can listen on {host}:{port} (web): {why}.") from error
        self.address = bound.getsockname()[:2]
        self._server = _server(self._pages)
        self._serving = asyncio.get_running_loop().create_task(self._server.serve(sockets=[bound]))
        while not self._server.started:
            if self._serving.done():
                raise MailrouterError("The pages of web: can't be served.") from self._serving.exception()
            await asyncio.sleep(0.005)

    async def close(self, seconds: float = 1.0) -> None:
        """Take no more requests; those under way have ``seconds``."""
        if self._serving is None:
            return
        self._server.should_exit = True
        for listening in getattr(self._server, "servers", ()):  # there are none before it has started
            listening.close()
        await asyncio.wait({self._serving}, timeout=seconds)
        if not self._serving.done():
            self._serving.cancel()
            state = self._server.server_state
            for task in list(state.tasks):
                task.cancel()
            for connection in list(state.connections):
                connection.transport.abort()
            await asyncio.wait({self._serving}, timeout=0.5)


def _bound(host: str, port: int) -> socket.socket:
    if not host:
        return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return socket.create_server(address[:2], family=family)


def _application(pages: Pages) -> Any:
    from starlette.applications import Starlette
    from starlette.routing import Route

    at_work = _AtWork()
    application = Starlette(
        routes=[Route(path, _endpoint(path, page, at_work), methods=["GET"]) for path, page in pages.items()]
    )
    # A redirect to the path without its slash would be made of the Host that the client names.
    application.router.redirect_slashes = False
    return application


class _AtWork:
    """A count of the pages being made."""

    pages = 0


def _endpoint(path: str, page: Page, at_work: _AtWork) -> Any:
    from starlette.requests import Request
    from starlette.responses import Response

    async def endpoint(request: Request) -> Response:
        asked = Asked(dict(request.path_params), dict(request.headers))
        if at_work.pages >= MAX_AT_WORK and path not in QUICK:
            answer = text(503, "Too much is asked for just now; please try again.")
        else:
            at_work.pages += 1
            try:
                answer = await _answer(path, page, asked)
            finally:
                at_work.pages -= 1
        return Response(
            answer.body, answer.status, {**_FIELDS, "content-type": answer.content_type, **answer.fields}
        )

    return endpoint


async def _answer(path: str, page: Page, asked: Asked) -> Answer:
    """``path`` is the pattern: the log never has what stood in its place."""
    try:
        async with asyncio.timeout(PAGE_SECONDS):
            return await page(asked)
    except TimeoutError:
        log.error("the page %s took more than %.0f s", path, PAGE_SECONDS)
        return text(503, "This took too long; please try again later.")
    except Exception:
        log.exception("the page %s can't be made", path)
        return text(500, "This page can't be made; the service's log says why.")


def _server(pages: Pages) -> Any:
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Brief(H11Protocol):
        """A connection with an end, whose place newcomers may take."""

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._end = self.loop.call_later(CONNECTION_SECONDS, transport.abort)
            self._asks = self.loop.call_later(HEADER_SECONDS, self._silent)
            places.append(self)
            if len(places) > MAX_CONNECTIONS:
                next((other for other in places if not other.busy()), self).transport.abort()

        def busy(self) -> bool:
            """Whether a request came whole, and is not answered yet."""
            return self.cycle is not None and not self.cycle.response_complete

        def _silent(self) -> None:
            if self.cycle is None:
                self.transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            self._end.cancel()
            self._asks.cancel()
            places.remove(self)
            super().connection_lost(exc)

    places: list[Brief] = []

    class Server(uvicorn.Server):
        """An HTTP server that leaves the signals to the service."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    return Server(
        uvicorn.Config(
            _application(pages),
            http=Brief,
            ws="none",
            lifespan="off",
            interface="asgi3",
            access_log=False,
            log_config=None,
            log_level=logging.WARNING,
            proxy_headers=False,
            server_header=False,
            h11_max_incomplete_event_size=MAX_HEADER,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=1,
        )
    )
