"""IT's file ``mailrouter.yaml``: what may be written, and the ``Settings`` it gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, ValidationInfo

from mailrouter.address import domain_of
from mailrouter.config.addresses import domain, email, host_name
from mailrouter.config.calendar_file import calendar_host, feeds_url
from mailrouter.config.fields import NOT_YET, Lines, Reading, listed, reads, reads_with
from mailrouter.config.settings import (
    LOOPBACK,
    Destination,
    HostPort,
    Network,
    Settings,
    destination,
    listen_address,
    network,
    size,
    store_path,
)
from mailrouter.config.wrong import Wrong, shown
from mailrouter.schedule.model import Role

_ANYWHERE = ("", "0.0.0.0", "::")
_HERE = ("localhost", "127.0.0.1", "::1", *_ANYWHERE)


def _authserv_id(text: str) -> str:
    if not re.fullmatch(r'[^\s;"()]+', text):
        raise Wrong(
            f"{shown(text)} is not a server's name", "write the name that begins its Authentication-Results"
        )
    return text


def _postmaster(text: str, info: ValidationInfo[Reading]) -> str:
    return email(text, info.context.dotless)


def _elsewhere(text: str, info: ValidationInfo[Reading]) -> Destination:
    """A destination that is not our own door: mail would go round for ever."""
    found, listen = destination(text), info.data.get("listen")
    if found.scheme == "smtp" and listen is not None:
        host, port = listen.smtp
        same = found.host == host or (found.host in _HERE and host in _HERE)
        if found.port == port and same:
            raise Wrong("this is where mailrouter itself listens", "name the next server's address and port")
    return found


class ListenFile(Lines):
    """Where mail comes in."""

    elsewhere: ClassVar[Mapping[str, tuple[str, str]]] = {
        name: (f"`{name}` is {NOT_YET}", "remove the line") for name in ("submission", "submissions", "lmtp")
    }
    smtp: Annotated[HostPort, reads(listen_address)] = ("127.0.0.1", 2525)


class SettingsFile(Lines):
    """The service's file."""

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
    web: Annotated[HostPort | None, reads(listen_address)] = None
    templates: Annotated[Path | None, reads(Path)] = None
    run_folder: Annotated[Path, reads(Path)] = Path("var/run")
    calendar_url: Annotated[str | None, reads(feeds_url)] = None
    calendar_hosts: Annotated[tuple[Annotated[str, reads(calendar_host)], ...], BeforeValidator(listed)] = ()

    def facts(self, base: Path, roles: Sequence[Role], fqdn: Callable[[], str]) -> Settings:
        """The settings. Paths count from ``base``; what isn't written follows from roles and machine."""
        written = self.our_domains or tuple(
            domain_of(a) for role in roles for a in (role.address, *role.aliases)
        )
        hostname = self.hostname or _usable(fqdn())
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
            web=self.web,
            calendar_url=self.calendar_url,
            calendar_hosts=frozenset(self.calendar_hosts),
        )


def _usable(name: str) -> str:
    """The machine's name where it is a whole one, else ``localhost``."""
    try:
        return host_name(name) if "." in name.strip(".") and not name.endswith(".arpa") else "localhost"
    except Wrong:
        return "localhost"
