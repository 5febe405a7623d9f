"""What a file or an address gives, and which addresses are never asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailrouter.calendars import limits
from mailrouter.calendars.fetch import from_file, from_url, is_public
from mailrouter.calendars.refresh import read
from mailrouter.errors import CalendarError
from tests.calendars.ics import calendar
from tests.calendars.requests import request
from tests.calendars.servers import certificate, serving

HERE = frozenset({"127.0.0.1"})
RAW = calendar("DTSTART:20261201T090000Z\nDURATION:PT1H")


def test_a_file_is_read(tmp_path: Path) -> None:
    """Whole; a bit more than is allowed shows that it is too large."""
    (tmp_path / "c.ics").write_bytes(RAW)
    assert from_file(tmp_path / "c.ics") == RAW
    (tmp_path / "c.ics").write_bytes(b"A" * (limits.MAX_BYTES + 100))
    assert len(from_file(tmp_path / "c.ics")) == limits.MAX_BYTES + 1


@pytest.mark.parametrize("name", ["missing.ics", "folder", "pipe", "/dev/zero", "a\0b", "x" * 5000])
def test_what_is_no_file_is_an_error(tmp_path: Path, name: str) -> None:
    """And nobody waits: not for a pipe's writer, not for a device without end."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CalendarError):
        from_file(tmp_path / name)


def test_a_calendar_is_fetched() -> None:
    """As it is, in clear text from a host that IT has named; three redirects are followed."""
    with serving() as server:
        server.answers["/c.ics?key=%20x"] = (200, {"Content-Type": "text/calendar"}, RAW)
        server.answers["/1"] = (302, {"Location": "/2"}, b"")
        server.answers["/2"] = (307, {"Location": server.url("/3")}, b"")
        server.answers["/3"] = (301, {"Location": "c.ics?key=%20x"}, b"")
        server.answers["/0"] = (308, {"Location": "/1"}, b"")
        assert from_url(server.url("/c.ics?key=%20x"), HERE) == RAW
        assert from_url(server.url("/1"), HERE) == RAW
        with pytest.raises(CalendarError, match="more than 3 redirects"):
            from_url(server.url("/0"), HERE)
        assert server.asked[0][1]["Accept-Encoding"] == "identity"


def test_what_a_server_says_instead_is_told() -> None:
    """By status, without a word of what it wrote, and without the address, which is a secret."""
    with serving() as server:
        server.answers["/secret/private"] = (403, {}, b"tell nobody")
        server.answers["/secret/packed"] = (200, {"Content-Encoding": "gzip"}, RAW)
        server.answers["/secret/large"] = (200, {}, b"A" * (limits.MAX_BYTES + 100))
        for path, words in (
            ("/secret/missing", "127.0.0.1 answered 404 Not Found"),
            ("/secret/private", "127.0.0.1 answered 403 Forbidden"),
            ("/secret/packed", "compressed"),
        ):
            with pytest.raises(CalendarError, match=words) as caught:
                from_url(server.url(path), HERE)
            assert "secret" not in str(caught.value)
            assert "nobody" not in str(caught.value)
        assert len(from_url(server.url("/secret/large"), HERE)) == limits.MAX_BYTES + 1


@pytest.mark.parametrize(
    "to",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "http://localhost:{port}/c.ics",
        "https://localhost:{port}/c.ics",
        "http://[::1]:{port}/c.ics",
        "//169.254.169.254/latest",
        "https://10.0.0.1/",
    ],
)
def test_a_redirect_leads_nowhere_else(to: str) -> None:
    """Not to another scheme, not into the own network: that one host was named means no other."""
    with serving() as server:
        server.answers["/c.ics"] = (200, {}, RAW)
        server.answers["/go"] = (302, {"Location": to.format(port=server.port)}, b"")
        with pytest.raises(CalendarError, match=r"is not fetched|not in the public internet"):
            from_url(server.url("/go"), HERE)
        assert [path for path, _ in server.asked] == ["/go"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/c.ics",
        "https://127.0.0.1:{port}/c.ics",
        "https://localhost:{port}/c.ics",
        "https://[::ffff:127.0.0.1]:{port}/c.ics",
        "https://2130706433:{port}/c.ics",
        "https://0x7f000001:{port}/c.ics",
        "https://0:{port}/c.ics",
    ],
)
def test_without_a_word_of_its_the_own_network_is_not_asked(url: str) -> None:
    """However its address is written."""
    with serving() as server:
        with pytest.raises(CalendarError):
            from_url(url.format(port=server.port))
        assert not server.asked


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::5db8:d70e", True),
        ("2002:a00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    """Private, local, shared, multicast ones are not; one within another counts as the inner one."""
    assert is_public(address) is public


def test_tls_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that nobody vouches for is refused; with it among those of the system it is fetched."""
    made = certificate(tmp_path)
    if made is None:
        pytest.skip("openssl is not installed")
    path, context = made
    with serving(context) as server:
        server.answers["/c.ics"] = (200, {}, RAW)
        with pytest.raises(CalendarError, match="can't be reached"):
            from_url(server.url("/c.ics"), HERE)
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        assert from_url(server.url("/c.ics"), HERE) == RAW


async def test_the_reading_process_fetches(tmp_path: Path) -> None:
    """From end to end: what is at the address comes back as absences; what is not, as words."""
    with serving() as server:
        server.answers["/c.ics"] = (200, {}, RAW)
        answer = await read(request(url=server.url("/c.ics")))
        assert answer == {"busy": [[1796115600, 1796119200]], "events": 1, "left_out": []}
        assert "404" in (await read(request(url=server.url("/other"))))["failure"]
        own = await read(request(url=f"https://127.0.0.1:{server.port}/c.ics", hosts=()))
        assert "public internet" in own["failure"]


async def test_a_server_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    """After ten seconds without a word it has failed; whatever comes, the process is ended when its time is over."""
    with serving() as server:
        server.answers["/never"] = (200, {}, b"never")
        assert "not read within" in (await read(request(url=server.url("/never")), 2.0))["failure"]
