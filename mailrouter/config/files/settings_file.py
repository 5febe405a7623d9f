"""IT's file ``mailrouter.yaml``: what may be written, and the ``Settings`` it gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from mailrouter.address import domain_of
from mailrouter.config.files.calendar_file import calendar_host, feeds_url
from mailrouter.config.files.fields import NOT_YET, Lines, Reading, listed, one_of, reads, reads_with
from mailrouter.config.retry_settings import Retry, Timeouts, notice, pause, timeout, trying
from mailrouter.config.settings import (
    LOOPBACK,
    Destination,
    HostPort,
    LogFormat,
    Network,
    Settings,
    bounced,
    destination,
    history,
    listen_address,
    network,
    size,
    store_path,
)
from mailrouter.config.values.addresses import domain, email, host_name
from mailrouter.config.values.durations import span
from mailrouter.config.values.errors import Wrong, shown
from mailrouter.moments import DAY_MS
from mailrouter.schedule.model import Role

_SERVER = re.compile(r'[^\s;"()]+')
_ANYWHERE = ("", "0.0.0.0", "::")
_HERE = ("localhost", "127.0.0.1", "::1", *_ANYWHERE)


def _authserv_id(text: str) -> str:
    if not _SERVER.fullmatch(text):
        raise Wrong(
            f"{shown(text)} is not a server's name", "write the name that begins its Authentication-Results"
        )
    return text


def _postmaster(text: str, info: ValidationInfo[Reading]) -> str:
    return email(text, info.context.dotless)


def _elsewhere(text: str, info: ValidationInfo[Reading]) -> Destination:
    """A destination that is not our own door: mail would go round for ever."""
    found = destination(text)
    if found.scheme == "smtp" and _taken((found.host, found.port), info):
        raise Wrong("this is where mailrouter itself listens", "name the next server's address and port")
    return found


def _pages(text: str, info: ValidationInfo[Reading]) -> HostPort:
    """A place for pages at which no mail comes in."""
    found = listen_address(text)
    if found[1] and _taken(found, info):
        raise Wrong("mail comes in here already (listen)", "choose another port, as in 127.0.0.1:8080")
    return found


def _taken(place: HostPort, info: ValidationInfo[Reading]) -> bool:
    """Whether the service's door and ``place`` are one."""
    listen = info.data.get("listen")
    here = () if listen is None else [host for host, port in listen.smtp if port == place[1]]
    return any(host == place[0] or (host in _HERE and place[0] in _HERE) for host in here)


class ListenFile(Lines):
    """The addresses where mail comes in."""

    elsewhere: ClassVar[Mapping[str, tuple[str, str]]] = {
        name: (f"`{name}` is {NOT_YET}", "remove the line") for name in ("submission", "submissions", "lmtp")
    }
    smtp: Annotated[
        tuple[Annotated[HostPort, reads(listen_address)], ...], BeforeValidator(listed), Field(min_length=1)
    ] = (("127.0.0.1", 2525),)


class TimeoutsFile(Lines):
    """The times that the next server may take."""

    connect: Annotated[float, reads(timeout)] = Timeouts().connect
    reply: Annotated[float, reads(timeout)] = Timeouts().reply
    data_end: Annotated[float, reads(timeout)] = Timeouts().data_end


class RetryFile(Lines):
    """The times at which unsent mail is tried again."""

    first: Annotated[float, reads(pause)] = Retry().first
    most: Annotated[float, reads(pause)] = Retry().most
    give_up: Annotated[float, reads(trying)] = Retry().give_up
    delay_notice: Annotated[float | None, reads(notice)] = Retry().delay_notice

    @model_validator(mode="after")
    def _in_order(self) -> RetryFile:
        """Each wait is at most as long as the next."""
        for name, least, following, most in (
            ("first", self.first, "most", self.most),
            ("most", self.most, "give_up", self.give_up),
            ("delay_notice", self.delay_notice or 0, "give_up", self.give_up),
        ):
            if least > most:
                raise Wrong(
                    f"`{name}` ({span(least)}) is longer than `{following}` ({span(most)})",
                    "write shorter ones first, as in {first: 2 min, most: 30 min, give_up: 5 days}",
                )
        return self


class LogFile(Lines):
    """The form of the service's log."""

    format: Annotated[LogFormat, one_of(LogFormat)] = "text"


class SettingsFile(Lines):
    """The service's file."""

    elsewhere: ClassVar[Mapping[str, tuple[str, str]]] = {
        "smtp": ("`smtp` belongs below `listen`", "put two spaces before it"),
        **{
            name: (f"`{name}` is {NOT_YET}", "remove the line; your mail server does that")
            for name in (
                "tls",
                "smtp_auth",
                "auth",
                "login",
                "deliver_login",
                "rate_limit",
                "rate_limits",
                "dkim",
            )
        },
    }

    hostname: Annotated[str | None, reads(host_name)] = None
    our_domains: Annotated[tuple[Annotated[str, reads(domain)], ...], BeforeValidator(listed)] = ()
    postmaster: Annotated[str | None, reads_with(_postmaster)] = None
    listen: ListenFile = ListenFile()
    trusted_networks: Annotated[tuple[Annotated[Network, reads(network)], ...], BeforeValidator(listed)] = (
        LOOPBACK
    )
    authserv_id: Annotated[str | None, reads(_authserv_id)] = None
    return_domain: Annotated[str | None, reads(domain)] = None
    deliver: Annotated[Destination, reads_with(_elsewhere)] = Destination("maildir", path=Path("var/mail"))
    store: Annotated[Path, reads(store_path)] = Path("var/mailrouter.db")
    max_size: Annotated[int | None, reads(size)] = None
    web: Annotated[HostPort | None, reads_with(_pages)] = None
    templates: Annotated[Path | None, reads(Path)] = None
    run_folder: Annotated[Path, reads(Path)] = Path("var/run")
    timeouts: TimeoutsFile = TimeoutsFile()
    retry: RetryFile = RetryFile()
    keep_history: Annotated[int, reads(history)] = 30 * DAY_MS
    keep_bounced: Annotated[int, reads(bounced)] = 5 * DAY_MS
    log: LogFile = LogFile()
    calendar_url: Annotated[str | None, reads(feeds_url)] = None
    calendar_hosts: Annotated[tuple[Annotated[str, reads(calendar_host)], ...], BeforeValidator(listed)] = ()

    def facts(self, base: Path, roles: Sequence[Role], fqdn: Callable[[], str]) -> Settings:
        """The settings. Paths count from ``base``; what isn't written follows from roles and machine."""
        written = self.our_domains or tuple(
            domain_of(a) for role in roles for a in (role.address, *role.aliases)
        )
        hostname = self.hostname or _whole_name(fqdn()) or (written[0] if written else "localhost")
        deliver = self.deliver
        if deliver.path is not None:
            deliver = Destination(deliver.scheme, path=base / deliver.path)
        return Settings(
            hostname=hostname,
            our_domains=frozenset(written),
            postmaster=self.postmaster or f"postmaster@{written[0] if written else hostname}",
            deliver=deliver,
            store=base / self.store,
            run_folder=base / self.run_folder,
            listen_smtp=self.listen.smtp,
            trusted_networks=self.trusted_networks,
            authserv_id=self.authserv_id,
            return_domain=self.return_domain,
            max_size=self.max_size,
            templates=base / self.templates if self.templates else None,
            timeouts=Timeouts(self.timeouts.connect, self.timeouts.reply, self.timeouts.data_end),
            retry=Retry(self.retry.first, self.retry.most, self.retry.give_up, self.retry.delay_notice),
            keep_history=self.keep_history,
            keep_bounced=self.keep_bounced,
            log_format=self.log.format,
            web=self.web,
            calendar_url=self.calendar_url,
            calendar_hosts=frozenset(self.calendar_hosts),
        )


def _whole_name(name: str) -> str:
    """The machine's name where it is a whole one, else ``""``: what people get should not come from ``localhost``."""
    try:
        return (
            host_name(name) if "." in name.strip(".") and not name.endswith((".arpa", ".localdomain")) else ""
        )
    except Wrong:
        return ""
