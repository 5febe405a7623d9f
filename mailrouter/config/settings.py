"""The facts of ``mailrouter.yaml``, and the readers of its values."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Literal

from mailrouter.config.retry_settings import USUAL_RETRY, USUAL_TIMEOUTS, Retry, Timeouts
from mailrouter.config.values.addresses import host_name
from mailrouter.config.values.durations import duration
from mailrouter.config.values.errors import Wrong, did_you_mean, shown
from mailrouter.moments import DAY_MS
from mailrouter.trust.tokens import VALID_DAYS

Network = IPv4Network | IPv6Network
HostPort = tuple[str, int]
LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), ip_network("::1/128"))

LogFormat = Literal["text", "json"]
SHORTEST_HISTORY = (VALID_DAYS + 1) * DAY_MS
"""Reports about a copy come for so long, and have to find what they are about."""
MOST_KEPT_BOUNCED = VALID_DAYS * DAY_MS
"""Content is kept no longer than a report about it can come."""
MIN_SIZE = 64 * 1024
"""RFC 5321 §4.5.3.1.7: a server has to take messages of 64K octets at least."""
_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_SIZE = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?\s*([a-z]*)", re.IGNORECASE)
_BEHIND_PLACE = re.compile("[/?#].*")
_HOST_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*):([0-9]{1,5})")
_NOT_YET = "not available in this version"


@dataclass(frozen=True, slots=True)
class Destination:
    """The destination of copies: a folder of Maildirs (``path``), or a server (``host``, ``port``)."""

    scheme: Literal["maildir", "smtp"]
    host: str = ""
    port: int = 0
    path: Path | None = None

    def __str__(self) -> str:
        """As it is written in the file."""
        if self.scheme == "maildir":
            return f"maildir:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"smtp://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Settings:
    """The service's settings. Paths are complete; domains and addresses are in their compared form.

    ``listen_smtp`` holds host and port of each place where mail comes in, an empty host meaning every interface;
    ``max_size`` is in bytes, None meaning what the next hop allows; ``keep_history`` and
    ``keep_bounced`` are in milliseconds;
    ``authserv_id`` names whose Authentication-Results are believed (RFC 8601), None meaning nobody's;
    ``return_domain`` is where bounces come to, None meaning each role's own domain; ``web`` is where pages are served
    (metrics, health, calendar feeds), None meaning nowhere; ``calendar_url`` is under what the feeds are reached from
    outside; ``calendar_hosts`` are hosts of the own network from which partners' calendars may be fetched. ``trial``:
    a relay works by them that delivers nothing and has records of its own.
    """

    hostname: str
    our_domains: frozenset[str]
    postmaster: str
    deliver: Destination
    store: Path
    run_folder: Path
    listen_smtp: tuple[HostPort, ...] = (("127.0.0.1", 2525),)
    trusted_networks: tuple[Network, ...] = LOOPBACK
    authserv_id: str | None = None
    return_domain: str | None = None
    max_size: int | None = None
    templates: Path | None = None
    timeouts: Timeouts = USUAL_TIMEOUTS
    retry: Retry = USUAL_RETRY
    keep_history: int = 30 * DAY_MS
    keep_bounced: int = 5 * DAY_MS
    log_format: LogFormat = "text"
    web: HostPort | None = None
    calendar_url: str | None = None
    calendar_hosts: frozenset[str] = frozenset()
    trial: bool = False


def size(text: str) -> int:
    """Bytes: ``50 MB`` (million bytes), ``10 MiB`` (2**20), or a number. Raises Wrong."""
    found = _SIZE.fullmatch(text)
    if not found or found[3].lower() not in _UNITS:
        raise Wrong(f"{shown(text)} is not a size", "write it as 50 MB")
    unit = _UNITS[found[3].lower()]
    fraction = found[2] or ""
    total: int = int(found[1]) * unit + int(fraction or "0") * unit // 10 ** len(fraction)
    if total < MIN_SIZE:
        raise Wrong(f"{shown(text)} is too small for mail", "allow 64 KiB at least; usual is 50 MB")
    return total


def bounced(text: str) -> int:
    """Retention of content for copies that come back, in milliseconds. Raises Wrong."""
    kept = int(1000 * duration(text))
    if kept > MOST_KEPT_BOUNCED:
        raise Wrong(f"{shown(text)} is too long", "at most 21 days: after that nothing comes back any more")
    return kept


def history(text: str) -> int:
    """The time for which a mail's fate is kept, in milliseconds. Raises Wrong."""
    kept = int(1000 * duration(text))
    if kept < SHORTEST_HISTORY:
        raise Wrong(
            f"{shown(text)} is too short: reports about a copy may come for {VALID_DAYS} days",
            f"keep it for {VALID_DAYS + 1} days at least; usual is 30 days",
        )
    return kept


def listen_address(text: str) -> HostPort:
    """Host and port to listen on; ``:2525`` is every interface, port 0 any free one. Raises Wrong."""
    found = _HOST_PORT.fullmatch(text)
    if not found:
        raise Wrong(f"{shown(text)} is not an address and a port", f"write it as {_meant_place(text)}")
    return _host(found[1]), _port(found[2], found.start(2), lowest=0)


def _meant_place(text: str) -> str:
    """The address and port probably meant by ``text``, as written."""
    if text.isdecimal():
        return f"127.0.0.1:{text}"
    host, _, port = text.rpartition(":")
    for address, number in ((host, port), (text, "2525")):
        with contextlib.suppress(ValueError):
            if number.isdecimal() and ip_address(address).version == 6:
                return f"[{address}]:{number}"
    with contextlib.suppress(ValueError):
        return f"{ip_address(text)}:2525"
    return "127.0.0.1:2525"


def _host(text: str) -> str:
    if text.startswith("["):
        bare = text[1:-1]
        try:
            ip_network(bare)
        except ValueError:
            raise Wrong(f"{shown(text)} is not an IPv6 address", "write it as [::1]") from None
        return bare
    return host_name(text) if text else ""


def _port(text: str, offset: int, lowest: int = 1) -> int:
    if not lowest <= int(text) <= 65535:
        raise Wrong(f"{text} is not a port", "ports go from 1 to 65535", offset=offset)
    return int(text)


def destination(text: str) -> Destination:
    """The destination of copies; a Maildir's path is as typed. Raises Wrong."""
    scheme, colon, rest = text.partition(":")
    match scheme.lower():
        case "maildir" if colon:
            if not rest or rest.startswith("//"):
                raise Wrong(
                    "a folder belongs after maildir:", "as in maildir:var/mail", offset=len(scheme) + 1
                )
            return Destination("maildir", path=Path(rest))
        case "smtp" if rest.startswith("//"):
            return _server(rest[2:], len(scheme) + 3)
        case "smtp" if colon:
            raise Wrong(f"{shown(text)} lacks the two slashes", f"write smtp://{shown(rest.lstrip('/'))}")
        case "lmtp" if colon:
            raise Wrong(f"lmtp is {_NOT_YET}", "smtp:// and maildir: are")
        case "smtps" | "submission" | "submissions" | "smtp+tls" | "smtp+starttls" if colon:
            raise Wrong(
                f"TLS to the next server is {_NOT_YET}", "use smtp:// to a server on this machine or network"
            )
    hint = did_you_mean(scheme, ["maildir", "smtp"]) if colon else ""
    raise Wrong(f"{shown(text)} is not a destination", hint or "write maildir:FOLDER or smtp://HOST:25")


def _server(rest: str, offset: int) -> Destination:
    if "@" in rest:
        raise Wrong(
            f"logging in to the next server is {_NOT_YET}",
            "leave out what stands before the @",
            offset=offset,
        )
    place = rest.removesuffix("/")
    if more := _BEHIND_PLACE.search(place):
        raise Wrong(
            f"{shown(more[0])} doesn't belong here", "write smtp://HOST:25", offset=offset + more.start()
        )
    if place.count(":") > 1 and "[" not in place:
        raise Wrong(
            "an IPv6 address belongs in brackets",
            f"write smtp://{_meant_place(place).replace(':2525', ':25')}",
            offset=offset,
        )
    if not place or place.startswith(":"):
        raise Wrong("a host is missing after smtp://", "as in smtp://127.0.0.1:25")
    found_port = _HOST_PORT.fullmatch(place)
    try:
        if found_port and found_port[1]:
            return Destination("smtp", _host(found_port[1]), _port(found_port[2], found_port.start(2)))
        return Destination("smtp", _host(place), 25)
    except Wrong as wrong:
        raise wrong.further(offset) from None


def store_path(text: str) -> Path:
    """The path of ``sqlite:PATH``, as typed. Raises Wrong."""
    scheme, colon, rest = text.partition(":")
    if scheme.lower() in ("postgresql", "postgres") and colon:
        raise Wrong(f"a PostgreSQL store is {_NOT_YET}", "use sqlite:var/mailrouter.db")
    if scheme.lower() != "sqlite" or not colon:
        raise Wrong(f"{shown(text)} is not a store", "write sqlite:var/mailrouter.db")
    if not rest.strip("/") or rest.startswith(("//", ":")):
        hint = "as in sqlite:var/mailrouter.db; a store in memory would lose mail"
        raise Wrong("a file belongs after sqlite:", hint, offset=len(scheme) + 1)
    return Path(rest)


def network(text: str) -> Network:
    """A network or a single address. Raises Wrong."""
    try:
        return ip_network(text)
    except ValueError:
        pass  # the reason is worked out below, in other words
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        raise Wrong(f"{shown(text)} is not a network", "write it as 10.0.0.0/8 or ::1/128") from None
    raise Wrong(f"{shown(text)} is one address with the length of a network", f"did you mean {meant}?")
