"""The listener: short reads and nothing else, whatever is asked of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import pytest

from mailrouter.errors import MailrouterError
from mailrouter.web import listener
from mailrouter.web.listener import Listener
from mailrouter.web.pages import Answer, Asked, text


async def feed(asked: Asked) -> Answer:
    """A page at a secret address."""
    return Answer(200, "text/calendar", f"for {asked.parts['secret']}".encode(), {"etag": '"1"'})


async def broken(asked: Asked) -> Answer:
    """A page that can't be made."""
    raise ValueError("the reason")


async def endless(asked: Asked) -> Answer:
    """A page that is never made."""
    await asyncio.Event().wait()
    return text(200, "never")


@pytest.fixture
async def served() -> AsyncIterator[Listener]:
    """These pages on a free port."""
    pages = {"/calendar/{secret}.ics": feed, "/broken/{secret}": broken, "/endless": endless}
    running = Listener("127.0.0.1", 0, pages)
    await running.start()
    yield running
    await running.close()


async def said(to: Listener, request: bytes) -> str:
    """What is answered to these octets, until the connection ends."""
    reader, writer = await asyncio.open_connection(*to.address)
    try:
        writer.write(request)
        async with asyncio.timeout(10):
            return (await reader.read()).decode()
    finally:
        writer.transport.abort()


async def asked(to: Listener, path: str, method: str = "GET") -> str:
    """What is answered to a request for ``path``."""
    return await said(to, f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())


async def test_a_page_gets_the_parts_of_its_path(served: Listener) -> None:
    """Status, type, body and fields are the page's; nobody may keep it or be told its address."""
    answer = await asked(served, "/calendar/abc.ics")
    assert answer.startswith("HTTP/1.1 200 ")
    assert answer.endswith("\r\n\r\nfor abc")
    for field in (
        "content-type: text/calendar",
        'etag: "1"',
        "cache-control: no-store",
        "referrer-policy: no-referrer",
    ):
        assert f"\r\n{field}\r\n" in answer
    assert "uvicorn" not in answer


async def test_head_is_answered_without_a_body(served: Listener) -> None:
    """HEAD has GET's header."""
    answer = await asked(served, "/calendar/abc.ics", "HEAD")
    assert answer.startswith("HTTP/1.1 200 ")
    assert "content-length: 7\r\n" in answer
    assert answer.endswith("\r\n\r\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
async def test_nothing_can_be_changed(served: Listener, method: str) -> None:
    """Every other method is 405."""
    assert (await asked(served, "/calendar/abc.ics", method)).startswith("HTTP/1.1 405 ")


async def test_what_is_not_there_is_404(served: Listener) -> None:
    """The root, other paths, and a path that climbs."""
    for path in ("/", "/calendar", "/calendar/a/b.ics", "/../etc/passwd", "/%2e%2e/etc/passwd"):
        assert (await asked(served, path)).startswith("HTTP/1.1 404 "), path


async def test_a_page_that_fails_says_nothing_of_why(
    served: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    """500 in words; the log has the fault and never the secret of the address."""
    answer = await asked(served, "/broken/secret-address")
    assert answer.startswith("HTTP/1.1 500 ")
    assert "the reason" not in answer
    assert "the reason" in caplog.text
    assert "secret-address" not in caplog.text


async def test_no_address_is_ever_logged(served: Listener, caplog: pytest.LogCaptureFixture) -> None:
    """A path may be a secret: at no level is a request written down."""
    caplog.set_level(logging.DEBUG)
    await asked(served, "/calendar/secret-address.ics")
    await asked(served, "/secret-address")
    assert "secret-address" not in caplog.text


async def test_a_page_that_takes_too_long_ends(served: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 once its time is over."""
    monkeypatch.setattr(listener, "PAGE_SECONDS", 0.05)
    assert (await asked(served, "/endless")).startswith("HTTP/1.1 503 ")


@pytest.mark.parametrize("request_", [b"", b"GET /end", b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_a_connection_has_an_end(
    served: Listener, monkeypatch: pytest.MonkeyPatch, request_: bytes
) -> None:
    """Who says nothing, half a request, or waits for ever, is cut off."""
    monkeypatch.setattr(listener, "CONNECTION_SECONDS", 0.1)
    try:
        assert await said(served, request_) == ""
    except ConnectionResetError:
        pass  # how an abort may look from the other side


async def test_a_header_without_end_is_refused(served: Listener) -> None:
    """More than 8 KB of header are not read."""
    answer = await said(served, b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000)
    assert answer.startswith("HTTP/1.1 400 ")


async def test_octets_that_are_no_request_are_refused(served: Listener) -> None:
    """SMTP, TLS and worse get 400 or nothing, and the next request is served."""
    for octets in (
        b"EHLO x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
        b"\0" * 100 + b"\r\n\r\n",
    ):
        answer = await said(served, octets)
        assert answer == "" or answer.startswith("HTTP/1.1 400 ")
    assert (await asked(served, "/calendar/abc.ics")).startswith("HTTP/1.1 200 ")


async def test_a_taken_port_is_named(served: Listener) -> None:
    """A second listener there says what is in the way."""
    host, port = served.address
    with pytest.raises(MailrouterError, match=rf"listen on 127.0.0.1:{port} \(web\): Address already in use"):
        await Listener(host, port, {}).start()


async def test_close_waits_for_nobody(served: Listener) -> None:
    """With a page that hangs and a silent client it is over soon, and the port is free."""
    silent = await asyncio.open_connection(*served.address)
    waiting = asyncio.create_task(asked(served, "/endless"))
    await asyncio.sleep(0)
    before = asyncio.get_running_loop().time()
    await served.close(0.2)
    assert asyncio.get_running_loop().time() - before < 3
    silent[1].transport.abort()
    with contextlib.suppress(ConnectionResetError):
        await waiting
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*served.address)


async def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the start says what to install."""
    monkeypatch.setattr(listener, "NEEDED", ("starlette", "not_there_at_all"))
    with pytest.raises(MailrouterError, match=r"not installed \(not_there_at_all\).*pip install '.*\[web\]'"):
        await Listener("127.0.0.1", 0, {}).start()


@pytest.mark.parametrize(
    "path", ["/calendar/secret.ics/", "/calendar/secret.ics//", "//calendar/secret.ics", "/endless/"]
)
async def test_nobody_is_redirected_to_a_host_that_the_client_names(served: Listener, path: str) -> None:
    """A path with a slash too many is 404, and Host stands in no answer."""
    answer = await said(
        served, f"GET {path} HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n".encode()
    )
    assert answer.startswith("HTTP/1.1 404 ")
    assert "evil.test" not in answer
    assert "location" not in answer.lower()


@pytest.fixture
async def watched() -> AsyncIterator[Listener]:
    """A listener with a page for health."""

    async def alive(asked: Asked) -> Answer:
        return text(200, "alive")

    running = Listener("127.0.0.1", 0, {"/healthz": alive, "/endless": endless})
    await running.start()
    yield running
    await running.close()


@pytest.mark.parametrize("sent", [b"", b"GET /heal", b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_slow_clients_leave_health_its_place(watched: Listener, sent: bytes) -> None:
    """More connections than there are places, that ask for nothing or wait: health is answered all the same."""
    slow = [await asyncio.open_connection(*watched.address) for _ in range(listener.MAX_CONNECTIONS + 20)]
    try:
        for _, writer in slow:
            writer.write(sent)
        await asyncio.sleep(0.2)
        for _ in range(3):
            assert (await asked(watched, "/healthz")).startswith("HTTP/1.1 200 ")
    finally:
        for _, writer in slow:
            writer.transport.abort()


async def test_a_client_that_asks_for_nothing_is_left_soon(
    watched: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request has some seconds to come whole."""
    monkeypatch.setattr(listener, "HEADER_SECONDS", 0.1)
    assert await said(watched, b"GET /healthz HTTP/1.1\r\n") == ""
