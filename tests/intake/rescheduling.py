"""An intake with a real file and a real store behind, for mail to the schedule address."""

from __future__ import annotations

import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from mailrouter.config.last_good import serving
from mailrouter.runtime.context import Desk
from mailrouter.runtime.keys import Keys
from tests.intake.services import KEY, Service, service
from tests.routing.situations import templates
from tests.support.relay import ROLE_FILE

MOMENT = datetime(2026, 12, 3, 18, tzinfo=UTC)  # Thursday, ten in the morning in Los Angeles
SCHEDULE = "vp-hr+schedule@example.test"
US = "mail.example.test"
LAURIE, ELAINE = "laurie@example.test", "elaine@example.test"
SETTINGS = f"hostname: mx.example.test\nour_domains: [example.test]\nauthserv_id: {US}\n"
COMMENTED = f"# ours\n{ROLE_FILE}# the end\n"
OFF = "  - {partner: laurie, from: 2026-12-07, until: 2026-12-07, cover: elaine}\n"


def folder_in(place: Path, role: str = COMMENTED) -> Path:
    """A configuration of one role."""
    made = place / "config"
    (made / "roles").mkdir(parents=True, exist_ok=True)
    (made / "mailrouter.yaml").write_text(SETTINGS)
    (made / "roles" / "vp-hr.yaml").write_text(role)
    return made


def desk_in(folder: Path) -> Desk:
    """A desk for what is in force there."""
    now = serving(folder)
    return Desk(now.configuration, templates(), Keys(KEY), texts=now.texts)


@asynccontextmanager
async def running(place: Path, moment: datetime = MOMENT) -> AsyncIterator[Service]:
    """An intake that takes up what it has changed, as the service does."""
    folder = place / "config"
    async with service(place, desk_in(folder), moment) as found:

        async def changed() -> None:
            found.context.desk = desk_in(folder)

        found.acceptor.files.changed = changed
        yield found


def asked(
    text: str,
    *fields: str,
    sender: str = LAURIE,
    number: int = 1,
    proven: bool = True,
    to: str = SCHEDULE,
    sent: str | datetime = MOMENT,
) -> bytes:
    """A mail to the schedule address, written as it comes in; ``sent`` is its Date, ``""`` for none."""
    date = f"{sent:%a, %d %b %Y %H:%M:%S %z}" if isinstance(sent, datetime) else sent
    lines = [
        *([f"Authentication-Results: {US}; dmarc=pass"] if proven else []),
        f"From: {sender}",
        f"To: {to}",
        f"Message-ID: <{number}@example.test>",
        *([f"Date: {date}"] if date else []),
        "Content-Type: text/plain; charset=utf-8",
        *fields,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + text.replace("\n", "\r\n") + "\r\n").encode()


def file_of(place: Path) -> str:
    """The role's file."""
    return (place / "config" / "roles" / "vp-hr.yaml").read_text()


def notices(found: Service) -> dict[str, EmailMessage]:
    """What was offered, by the recipient's local part; the last one each; and forget it."""
    made = {
        to: email.message_from_bytes(raw, policy=email.policy.default)
        for to, raw in found.sent("notice").items()
    }
    found.offered.clear()
    return made


def text_of(message: EmailMessage) -> str:
    """What a partner reads."""
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def with_file(content: str, answered: str = "", number: int = 1, name: str = "vp-hr.yaml") -> bytes:
    """Laurie's mail with a file attached."""
    message = EmailMessage()
    message["Authentication-Results"] = f"{US}; dmarc=pass"
    message["From"], message["To"], message["Message-ID"] = LAURIE, SCHEDULE, f"<{number}@example.test>"
    if answered:
        message["In-Reply-To"] = answered
    message.set_content("Here it is.\n")
    message.add_attachment(content.encode(), "application", "x-yaml", filename=name)
    return message.as_bytes(policy=email.policy.SMTP)
