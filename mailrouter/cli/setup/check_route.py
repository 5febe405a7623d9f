"""``mailrouter check --route``: try the way of mail, to the next server and back, without sending anybody anything."""

from __future__ import annotations

import asyncio
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mailrouter.address import domain_of
from mailrouter.cli.setup.check_live import SOCKET
from mailrouter.config import Configuration
from mailrouter.config.retry_settings import Timeouts
from mailrouter.errors import MailrouterError
from mailrouter.message.text.writing import date_field, message_id
from mailrouter.schedule.localtime import local_day
from mailrouter.schedule.model import Role
from mailrouter.service.control import ask
from mailrouter.smtp.capabilities import Outgoing
from mailrouter.smtp.client import Connection, PeerError
from mailrouter.smtp.refusals import advice, advice_in
from mailrouter.smtp.replies import Reply

WAIT = 30.0
"""Seconds in which a probe has to come in again."""
PATIENCE = Timeouts(connect=10.0, reply=30.0, data_end=60.0)
MOST_ROLES = 20
OUTSIDER = "somebody@example.com"
"""A domain that belongs to nobody (RFC 2606 §3): asked about, never sent to."""
_NO_MAIL = ("5.1.10", "5.1.2", "5.4.4", "4.4.3", "4.1.2")
"""Statuses by which a server says that it knows of that domain, and not that it relays nothing."""

DELIMITER = (
    "let that server keep the sub-address of the role and send it here as well. Postfix: recipient_delimiter = + in "
    "main.cf. Exim: local_part_suffix = +* and local_part_suffix_optional in the router of the role. Another: see how it "
    "treats a + in addresses, or set return_domain (docs/deploy.md)"
)
TRANSPORT = (
    "see where that server sends mail for the role. Postfix: a line for the role's address in transport_maps. Exim: a "
    "router with its address before the others. Another: a route or connector for that address (docs/deploy.md)"
)

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried: ``what``, whether it is ``well``, and what to ``do`` where it is not."""

    what: str
    well: bool
    do: str = ""


def look_at_route(
    configuration: Configuration, tell: Tell = lambda line: None, wait: float = WAIT
) -> list[Finding]:
    """Ask the next server, and send each role a probe.

    A probe has to come in again at the running service within ``wait`` seconds; ``tell`` hears how far it is.
    """
    settings = configuration.settings
    if not settings.deliver.host:
        return [Finding(f"copies go to {settings.deliver}: there is no next server to ask", True)]
    return asyncio.run(_look(configuration, tell, wait))


def shown_route(findings: Sequence[Finding], width: int) -> str:
    """For people, in ``width`` columns."""
    lines: list[str] = []
    for one in findings:
        lines += textwrap.wrap(
            f"{'ok   ' if one.well else 'WRONG'} {one.what}", width, subsequent_indent="      "
        )
        if one.do:
            do = f"What to do: {one.do}."
            lines += textwrap.wrap(do, width, initial_indent="      ", subsequent_indent="      ")
    return "\n".join(lines)


async def _look(configuration: Configuration, tell: Tell, wait: float) -> list[Finding]:
    settings = configuration.settings
    to = settings.deliver
    name = f"{to.host}:{to.port}"
    tell(f"asking {name} …")
    try:
        connection = await Connection.open(to.host, to.port, settings.hostname, PATIENCE)
    except PeerError as error:
        do = (
            advice_in(error.in_full)
            or "see that it runs, and deliver: in mailrouter.yaml; mail waits until then"
        )
        return [Finding(f"{name} can't be used: {error.in_full}", False, do.rstrip("."))]
    found = [_offered(name, connection)]
    try:
        found += await _asked(connection, configuration)
        found += await _probed(connection, configuration, tell, wait)
    except PeerError as error:
        found.append(Finding(f"{name} broke off: {error}", False, "see that server's log"))
    finally:
        await connection.quit()
    return found


def _offered(name: str, connection: Connection) -> Finding:
    offer = connection.offer
    names = [
        word
        for word in ("PIPELINING", "8BITMIME", "SMTPUTF8", "STARTTLS", "AUTH")
        if word in offer.extensions
    ]
    size = f", mail of up to {offer.max_size:,} octets" if offer.max_size else ""
    return Finding(f"{name} answers; it offers {', '.join(names) or 'no extension'}{size}", True)


async def _asked(connection: Connection, configuration: Configuration) -> list[Finding]:
    """The server's answers for each partner and somebody outside: nothing is sent. RSET follows each."""
    found: list[Finding] = []
    now = datetime.now(UTC)
    for role in configuration.roles[:MOST_ROLES]:
        today = local_day(now, role.time_zone)
        for person in (one for one in role.partners if one.is_partner_on(today)):
            reply = await _rcpt(connection, role.address, person.email)
            what = f"{person.email} ({role.key}): "
            found.append(_of_reply(what, reply, "see that this mailbox exists there"))
    outside = await _rcpt(connection, "", OUTSIDER)
    if outside.positive or outside.status in _NO_MAIL:
        found.append(Finding("it relays to senders outside: automatic replies and reports reach them", True))
    else:
        do = "let it relay for this machine (Postfix: mynetworks, or a permit in smtpd_relay_restrictions)"
        found.append(_of_reply("somebody outside: ", outside, do))
    return found


async def _rcpt(connection: Connection, sender: str, recipient: str) -> Reply:
    reply = await connection.ask(f"MAIL FROM:<{sender}>")
    if reply.positive:
        reply = await connection.ask(f"RCPT TO:<{recipient}>")
    await connection.ask("RSET")
    return reply


def _of_reply(what: str, reply: Reply, do: str) -> Finding:
    if reply.positive:
        return Finding(f"{what}taken ({reply.codes})", True)
    return Finding(f"{what}refused with {reply}", False, (advice(reply) or do).rstrip("."))


async def _probed(
    connection: Connection, configuration: Configuration, tell: Tell, wait: float
) -> list[Finding]:
    """Send a probe for each role and await them all."""
    socket = configuration.settings.run_folder / SOCKET
    found: list[Finding] = []
    sent: dict[int, tuple[Role, str]] = {}
    for role in configuration.roles[:MOST_ROLES]:
        try:
            made = ask(socket, {"do": "probe", "role": role.key})
        except MailrouterError as error:
            return [*found, Finding(f"no probe was sent: {error}", False, "restart the service")]
        if made is None:
            what = "no probe was sent: no service answers with this configuration, so none could come in"
            return [*found, Finding(what, False, "start the service (check --live tells more) and try again")]
        if made["to"] == role.address:
            what = f"{role.key}: its name leaves no room for a return path, so no probe was sent"
            found.append(Finding(what, False, "set return_domain (docs/config.md)"))
            continue
        reply = await _send(connection, configuration, made["to"])
        if reply.positive:
            sent[made["probe"]] = (role, made["to"])
            continue
        do = DELIMITER if reply.stage == "rcpt" else "see that server's log"
        what = f"{role.key}: a probe to its return path was refused with {reply}"
        found.append(Finding(what, False, (advice(reply) if reply.stage == "mail" else "") or do))
    return [*found, *await _arrived(socket, sent, tell, wait)]


async def _send(connection: Connection, configuration: Configuration, to: str) -> Reply:
    """Send one probe under the null reverse-path. Nobody hears of it should it be lost."""
    settings, now = configuration.settings, datetime.now(UTC)
    content = (
        f"From: mailrouter <{settings.postmaster}>\r\nTo: <{to}>\r\nSubject: A probe of mailrouter's\r\n"
        f"Date: {date_field(now)}\r\nMessage-ID: {message_id(f'probe-{now.timestamp():.6f}', domain_of(to))}\r\n"
        "Auto-Submitted: auto-generated\r\nPrecedence: bulk\r\n\r\n"
        "`mailrouter check --route` has sent this to see whether mail comes back to mailrouter.\r\n"
        "Where it lies in a mailbox, it did not. It can be deleted.\r\n"
    ).encode("ascii", "replace")
    replies: list[Reply] = []
    waiting = [Outgoing("", to, len(content), content=content)]

    async def take() -> Outgoing | None:
        return waiting.pop() if waiting else None

    async def settle(message: Outgoing, reply: Reply) -> None:
        replies.append(reply)

    await connection.deliver(take, settle)
    return replies[0]


async def _arrived(socket: Path, sent: dict[int, tuple[Role, str]], tell: Tell, wait: float) -> list[Finding]:
    began = said = time.monotonic()
    seen: dict[int, tuple[int, float]] = {}
    while sent.keys() - seen.keys() and time.monotonic() - began < wait:
        if time.monotonic() - said >= 5 or said == began:
            said = time.monotonic() + 0.001
            left = wait - (said - began)
            tell(
                f"waiting for {len(sent) - len(seen)} of {len(sent)} probes to come in, for {left:.0f} s at most …"
            )
        await asyncio.sleep(0.2)
        for number in sent.keys() - seen.keys():
            if count := int(ask(socket, {"do": "probed", "probe": number}) or 0):
                seen[number] = (count, time.monotonic() - began)
    if seen:
        await asyncio.sleep(1.0)  # what goes round comes again at once
    return list(_findings(socket, sent, seen, wait))


def _findings(
    socket: Path, sent: dict[int, tuple[Role, str]], seen: dict[int, tuple[int, float]], wait: float
) -> Iterator[Finding]:
    for number, (role, _) in sent.items():
        if number not in seen:
            what = (
                f"{role.key}: a probe to {role.address}'s return path was taken there and did not come in within "
                f"{wait:.0f} s, so bounces would not either"
            )
            yield Finding(what, False, f"{DELIMITER}. And {TRANSPORT}")
            continue
        count = int(ask(socket, {"do": "probed", "probe": number}) or 0)
        if count > 1:
            what = f"{role.key}: one probe came in {count} times"
            yield Finding(what, False, "see in that server's log why it goes round")
        else:
            yield Finding(f"{role.key}: a probe came in again after {seen[number][1]:.1f} s", True)
