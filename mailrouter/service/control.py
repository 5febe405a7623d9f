"""A local socket (0600) by which commands reach the running service: one JSON line in, one out.

The store has one writer. A command that changes something while the service runs asks it to; with none
running it takes the store's lock and does it itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mailrouter.clock import now_ms
from mailrouter.config.atomic_write import make_folder
from mailrouter.errors import MailrouterError, NoSuchRole
from mailrouter.message.text.writing import quoted_printable
from mailrouter.routing.handoff import MAX_TEXT

if TYPE_CHECKING:  # commands that only ask need not load the service (measured: 70 of 330 ms)
    from mailrouter.intake.acceptor import Acceptor
    from mailrouter.store.protocols import Store

log = logging.getLogger("mailrouter.service.control")

Request = Callable[[dict[str, Any]], Awaitable[Any]]
"""What answers one kind of request: given the request, it gives what goes back as JSON, or raises MailrouterError."""
MAX_LINE = 4 * MAX_TEXT + 4096


@contextlib.contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """The path of a socket, however deep it lies: the kernel takes 107 bytes, so a longer one goes by its
    folder."""
    if len(os.fsencode(path)) < 100:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def check_handoff(text: str) -> None:
    """Raises MailrouterError for a text that is no handoff: empty, or too long."""
    if not text.strip():
        raise MailrouterError("The handoff is empty; write what is done, what is left and what to watch.")
    if len(text) > MAX_TEXT:
        raise MailrouterError(
            f"The handoff has {len(text):,} characters, and {MAX_TEXT:,} are the most; nothing was changed."
        )


async def set_handoff(store: Store, role: str, author: str, text: str) -> int:
    """Keep a new handoff version; gives its number. Raises MailrouterError as ``check_handoff``."""
    check_handoff(text)
    body = quoted_printable(text if text.endswith("\n") else text + "\n")
    return await store.add_handoff(role, author, now_ms(), text, body)


class Control:
    """The service's end of the socket."""

    def __init__(
        self,
        store: Store,
        acceptor: Acceptor,
        path: Path,
        status: Callable[[], Awaitable[dict[str, object]]],
        more: Mapping[str, Request] = MappingProxyType({}),
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """``more`` are requests that the wiring answers itself, by name; ``wake`` is called when messages of ours lie
        in the store."""
        self._store = store
        self._acceptor = acceptor
        self._path = path
        self._server: asyncio.Server | None = None
        self._status = status
        self._wake = wake
        self._requests: dict[str, Request] = {
            "handoff": self._handoff,
            "change": self._change,
            "status": self._tell_status,
            **more,
        }

    async def start(self) -> None:
        """Listen. The store's lock is ours, so a socket that lies there is nobody's. Raises
        MailrouterError."""
        try:
            make_folder(self._path.parent)
            self._path.unlink(missing_ok=True)
            await self._listen()
        except OSError as error:
            reason = error.strerror or error
            raise MailrouterError(f"The control socket {self._path} can't be made: {reason}.") from error

    async def _listen(self) -> None:
        before = os.umask(0o177)
        try:
            with _reachable(self._path) as place:
                self._server = await asyncio.start_unix_server(self._serve, place, limit=MAX_LINE)
        finally:
            os.umask(before)

    async def close(self) -> None:
        """Stop listening and take the socket away."""
        if self._server is not None:
            self._server.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(30):
                request = await _read(reader)
            if request.get("do") not in self._requests:
                raise MailrouterError(
                    "The running service does not know this request; its version may differ."
                )
            answer = {"ok": await self._requests[request["do"]](request)}
        except MailrouterError as error:
            answer = {"error": str(error)}
        except Exception:
            log.exception("a request on the control socket failed")
            answer = {"error": "The service could not do that; its log says why."}
        try:
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except OSError:
            pass  # nobody waits for the answer any more; what was asked for is done
        finally:
            writer.close()

    async def _tell_status(self, request: dict[str, Any]) -> dict[str, object]:
        return await self._status()

    async def _handoff(self, request: dict[str, Any]) -> int:
        role = str(request["role"])
        if role not in self._acceptor.context.desk.rosters:
            raise NoSuchRole(
                f"The running service knows no role {role!r}; was it added after the service started?"
            )
        version = await set_handoff(self._store, role, str(request["author"]), str(request["text"]))
        await self._acceptor.context.take_up_handoff(self._store.reader, role)
        return version

    async def _change(self, request: dict[str, Any]) -> str:
        from mailrouter.intake.partner.by_command import change_by_command, from_json

        acceptor, context = self._acceptor, self._acceptor.context
        wanted = from_json(dict(request["request"]))
        what = await change_by_command(
            context.desk,
            acceptor.files,
            str(request["role"]),
            [wanted],
            context.now(),
            acceptor.calls,
        )
        self._wake()
        return what


async def _read(reader: asyncio.StreamReader) -> dict[str, Any]:
    try:
        request = json.loads(await reader.readline())
    except ValueError:  # no JSON, or no end of the line
        request = None
    if not isinstance(request, dict):
        raise MailrouterError("A request is one line that holds a JSON object.")
    return request


def ask(path: Path, request: dict[str, Any], patience: float = 30) -> Any:
    """Ask the running service, for ``patience`` seconds; None if none is running. Raises MailrouterError with its
    words."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(patience)
        try:
            with _reachable(path) as place:
                connection.connect(place)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise MailrouterError(
                f"The running service can't be asked by {path}: {error.strerror}."
            ) from error
        try:
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answers:
                answer = json.loads(answers.readline() or b"{}")
        except (OSError, ValueError) as error:
            raise MailrouterError(f"The running service did not answer: {error}.") from error
    if "ok" not in answer:
        raise MailrouterError(answer.get("error", "The running service did not answer."))
    return answer["ok"]
