"""A calendar's bytes, from a file or a URL. Runs in the reading process: it blocks.

What a URL may name (the role's file is the partners', and this machine may stand where they do not): https, and an
address of the public internet. IT can name hosts of its own network in ``calendar_hosts``; for these alone http and
other addresses hold. The address that was looked at is the one that is connected to.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import stat
from collections.abc import Container
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from mailrouter import __version__
from mailrouter.calendars import limits
from mailrouter.errors import CalendarError

_REDIRECTS = (301, 302, 303, 307, 308)
_TIMEOUT = 10.0
_NAT64 = ip_network("64:ff9b::/96")
"""IPv4 in IPv6 by a translator (RFC 6052 §2.1): what counts is the IPv4 address."""


def from_file(path: Path) -> bytes:
    """Raises CalendarError; what the file holds never stands in its text."""
    try:
        descriptor = os.open(
            path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        )  # a FIFO would wait for a writer
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise CalendarError(f"{path} is not a file")
            return file.read(limits.MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "its name can't be used"
        raise CalendarError(f"{path}: {why}") from None


def from_url(url: str, hosts: Container[str] = ()) -> bytes:
    """The server's answer, after three redirects at most.

    Raises CalendarError; the URL, which is a secret, never stands in its text.
    """
    for _ in range(limits.MAX_REDIRECTS + 1):
        parts = urlsplit(url)
        try:
            found = _get(parts, hosts)
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            raise CalendarError(f"{parts.hostname} can't be reached: {why}") from None
        if isinstance(found, bytes):
            return found
        url = urljoin(url, found)
    raise CalendarError(f"more than {limits.MAX_REDIRECTS} redirects")


def _get(parts: SplitResult, hosts: Container[str]) -> bytes | str:
    """The content, or where it has moved to."""
    host = (parts.hostname or "").lower()
    own = host in hosts
    if parts.scheme != "https" and not (own and parts.scheme == "http"):
        raise CalendarError(f"{parts.scheme or 'no scheme'}:// is not fetched, https:// is")
    if not host:
        raise CalendarError("the URL names no host")
    connection = _Connection(host, parts.port or (443 if parts.scheme == "https" else 80))
    connection.place = _address(host, connection.port, own)
    connection.tls = ssl.create_default_context() if parts.scheme == "https" else None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        headers = {
            "Accept": "text/calendar, */*;q=0.1",
            "Accept-Encoding": "identity",
            "User-Agent": f"mailrouter/{__version__}",
        }
        connection.request("GET", target, headers=headers)
        with connection.getresponse() as answer:
            return _content(answer, host)
    finally:
        connection.close()


def _content(answer: http.client.HTTPResponse, host: str) -> bytes | str:
    if answer.status in _REDIRECTS and (moved := answer.headers.get("Location")):
        return moved
    if answer.status != 200:
        words = http.client.responses.get(answer.status, "")
        raise CalendarError(f"{host} answered {answer.status} {words}".rstrip())
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise CalendarError(f"{host} sends it compressed, though it was asked not to")
    return answer.read(limits.MAX_BYTES + 1)


class _Connection(http.client.HTTPConnection):
    """A connection to a checked address, under the host's own name. TLS and the Host field have the name."""

    place: tuple[str, int]
    tls: ssl.SSLContext | None

    def connect(self) -> None:
        """To ``place``, whatever the name means by now."""
        self.sock = socket.create_connection(self.place, _TIMEOUT)
        if self.tls is not None:
            self.sock = self.tls.wrap_socket(self.sock, server_hostname=self.host)


def _address(host: str, port: int, own: bool) -> tuple[str, int]:
    """The first address of the host that may be connected to."""
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    allowed = [address for address in found if own or is_public(address)]
    if not allowed:
        raise CalendarError(
            f"{host} is not in the public internet, nor one of calendar_hosts in mailrouter.yaml"
        )
    return allowed[0], port


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet; one within another counts as the inner one."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in _NAT64:
            inner = ip_address(int(address) & 0xFFFFFFFF)  # type: ignore[assignment]
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast
