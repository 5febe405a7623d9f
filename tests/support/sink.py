"""A server that takes everything and remembers it: aiosmtpd as it ships, in a thread of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.ports import free_port


class Sink:
    """Use as a context manager. ``taken`` holds (reverse-path, recipient, content) in the order of arrival; ``refuse``
    the replies to recipients that it does not take."""

    def __init__(self, port: int | None = None, refuse: Mapping[str, str] | None = None) -> None:
        self.refuse = dict(refuse or {})
        self.taken: list[tuple[str, str, bytes]] = []
        self.port = port or free_port()
        self._controller = Controller(self, "127.0.0.1", self.port, data_size_limit=200_000_000)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take it, or refuse it."""
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Remember it, once for each recipient."""
        for recipient in envelope.rcpt_tos:
            path = "" if envelope.mail_from == "<>" else envelope.mail_from or ""
            self.taken.append((path, recipient, bytes(envelope.original_content or b"")))
        return "250 2.0.0 taken"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
