"""The control socket: private, replaced when stale, and an answer in words to whatever is asked."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailrouter import config
from mailrouter.errors import MailrouterError
from mailrouter.service.control import MAX_LINE, ask
from mailrouter.service.wiring import Service
from mailrouter.store.sqlite.store import SqliteStore
from tests.support.relay import write_configuration

GOOD = {"do": "handoff", "role": "vp-hr", "author": "laurie", "text": "Done: all."}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    """A running service that delivers into Maildirs."""
    running = Service(config.load(write_configuration(tmp_path)))
    await running.start()
    yield running
    await running.stop()


def place(service: Service) -> Path:
    """Where its socket lies."""
    return service.configuration.settings.run_folder / "mailrouter.sock"


async def raw(service: Service, line: bytes) -> dict[str, str]:
    """What the socket answers to these octets."""
    reader, writer = await asyncio.open_unix_connection(place(service))
    writer.write(line)
    writer.write_eof()
    answer: dict[str, str] = json.loads(await reader.read())
    writer.close()
    return answer


async def test_a_handoff_reaches_the_running_service(service: Service) -> None:
    """The version comes back, is in the store, and is what the next mail will carry."""
    version = await asyncio.to_thread(ask, place(service), GOOD)
    stored = await service.store.reader.handoff("vp-hr")
    assert stored is not None
    assert (stored.version, stored.author, stored.text) == (version, "laurie", "Done: all.")
    assert service.context.desk.handoffs["vp-hr"].version == version


async def test_the_socket_is_private_and_goes_at_the_end(tmp_path: Path) -> None:
    """Mode 0600 while it is there; after the stop nobody answers; what lay there before is replaced."""
    running = Service(config.load(write_configuration(tmp_path)))
    path = place(running)
    path.parent.mkdir(parents=True, exist_ok=True)
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    assert ask(path, GOOD) is None
    await running.start()
    try:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert isinstance(await asyncio.to_thread(ask, path, GOOD), int)
    finally:
        await running.stop()
    assert not path.exists()
    assert ask(path, GOOD) is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"\n", "one line that holds a JSON object"),
        (b"{not json\n", "one line that holds a JSON object"),
        (b"[1, 2]\n", "one line that holds a JSON object"),
        (b"\xff\xfe\n", "one line that holds a JSON object"),
        (b"x" * (3 * MAX_LINE), "one line that holds a JSON object"),
        (b'{"do": "dance"}\n', "does not know this request"),
        (b'{"role": "vp-hr"}\n', "does not know this request"),
        (json.dumps({**GOOD, "text": " "}).encode() + b"\n", "The handoff is empty"),
        (json.dumps({**GOOD, "text": "x" * 1_000_000}).encode() + b"\n", "one line that holds|at most"),
        (json.dumps({**GOOD, "role": "cfo"}).encode() + b"\n", "knows no role 'cfo'"),
    ],
)
async def test_odd_requests_get_words(service: Service, line: bytes, words: str) -> None:
    """Whatever comes is answered with a sentence, and the next request is served."""
    try:
        answer = await raw(service, line)
    except ConnectionError:
        assert len(line) > MAX_LINE  # it hung up on a line that has no end
    else:
        assert set(answer) == {"error"}
        assert any(part in answer["error"] for part in words.split("|"))
    assert isinstance(await asyncio.to_thread(ask, place(service), GOOD), int)


async def test_a_fault_is_told_without_its_cause(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """A request that lacks what it needs is an error in the log and a sentence without it to the asker."""
    with caplog.at_level(logging.CRITICAL, logger="mailrouter.service.control"):
        answer = await raw(service, b'{"do": "handoff", "role": "vp-hr"}\n')
    assert answer == {"error": "The service could not do that; its log says why."}


async def test_a_socket_deep_in_the_file_system(tmp_path: Path) -> None:
    """A path longer than the kernel takes for a socket works all the same."""
    folder = tmp_path / ("a" * 60) / ("b" * 60)
    folder.mkdir(parents=True)
    running = Service(config.load(write_configuration(folder)))
    await running.start()
    try:
        assert len(str(place(running))) > 120
        assert isinstance(await asyncio.to_thread(ask, place(running), GOOD), int)
    finally:
        await running.stop()
    assert ask(place(running), GOOD) is None


async def test_a_socket_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    """If a folder lies where the socket belongs, the start fails with that name and leaves nothing open."""
    running = Service(config.load(write_configuration(tmp_path)))
    place(running).mkdir(parents=True)
    with pytest.raises(MailrouterError, match=r"control socket .*mailrouter\.sock can't be made"):
        await running.start()
    SqliteStore.open(running.configuration.settings.store).close()  # it is nobody's


def test_what_is_no_socket_is_no_service(tmp_path: Path) -> None:
    """A file in its place or nothing at all: nobody is running."""
    assert ask(tmp_path / "none.sock", GOOD) is None
    (tmp_path / "file.sock").write_text("")
    assert ask(tmp_path / "file.sock", GOOD) is None
