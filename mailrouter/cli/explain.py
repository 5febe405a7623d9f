"""``mailrouter explain FILE``: what would become of a message, and why. The very plan that the service makes."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from mailrouter.address import canonical
from mailrouter.cli.common import load, moment_of, print_json, role_named, store_of, width
from mailrouter.cli.explain_diff import changes
from mailrouter.config import Configuration
from mailrouter.errors import MailrouterError, UsageError
from mailrouter.intake.explain import Explanation, explained, in_hand
from mailrouter.message.head import Head
from mailrouter.message.pieces import render
from mailrouter.message.scanner import Scanner
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.routing.model import Copy
from mailrouter.runtime.context import Desk, current
from mailrouter.runtime.keys import KEY_SIZE, NAME, Keys, keys_in
from mailrouter.runtime.mailbox_health import Mailboxes
from mailrouter.runtime.templates import Templates
from mailrouter.schedule.date_words import joined
from mailrouter.schedule.model import Role
from mailrouter.smtp.envelope import Envelope
from mailrouter.store.protocols import Reading


async def explain(options: argparse.Namespace) -> int:
    """Print the plan for a message; nothing is sent and nothing remembered."""
    configuration = load(options)
    raw = _read(options.file)
    scanner = Scanner()
    scanner.feed(raw)
    shape = scanner.finish()
    head = scanner.head
    recipients = options.recipient or [mailbox.address for mailbox in _addressed(head)]
    roles = _roles(configuration, head, options.recipient)
    sender = _sender(head, options.sender)
    moment = moment_of(options.at, roles[0])
    store = store_of(configuration)
    to = [address if "@" in address else role_named(configuration, address).address for address in recipients]
    desk = await _desk(configuration, store)
    received = in_hand(desk, head, shape, Envelope(sender, to), moment, raw)
    found = explained(desk, store, received, roles)
    if not options.recipient and not _named(configuration, head):
        guess = f"the mail names no role, so {roles[0].key} is taken, the only one there is (--to says which)"
        found = replace(found, reasons=(guess, *found.reasons))
    if options.json:
        print_json(_data(roles, found))
    else:
        print("\n".join(_lines(roles, sender, moment, found)))
    if options.diff or options.raw:
        await _print_copies(found, raw, store, options)
    return 0


def _read(file: str) -> bytes:
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}.") from error
    # A file saved on disk mostly has bare LFs; SMTP would have carried them as CRLF.
    return raw if b"\r\n" in raw else raw.replace(b"\n", b"\r\n")


def _roles(configuration: Configuration, head: Head, recipients: Sequence[str] | None) -> list[Role]:
    if recipients:
        named = [role_named(configuration, recipient) for recipient in recipients]
    else:
        named = _named(configuration, head)
        if not named and len(configuration.roles) == 1:
            named = list(configuration.roles)
    roles = list({role.key: role for role in named}.values())
    if not roles:
        raise UsageError("The message names none of the roles; say which with --to ADDRESS.")
    return roles


def _named(configuration: Configuration, head: Head) -> list[Role]:
    return [
        role for mailbox in _addressed(head) if (role := configuration.role_for(mailbox.address)) is not None
    ]


def _addressed(head: Head) -> tuple[Mailbox, ...]:
    return head.mailboxes("to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc")


def _sender(head: Head, sender: str | None) -> str:
    if sender is not None:
        return sender.strip().strip("<>")
    written = head.mailboxes("return-path", "from")
    return canonical(written[0].address) if written else ""


async def _desk(configuration: Configuration, store: Reading | None) -> Desk:
    settings = configuration.settings
    path = settings.run_folder / NAME
    try:
        keys = keys_in(path.read_bytes(), path)
    except OSError:
        keys = Keys(bytes(KEY_SIZE))  # no service has run yet: there are no memories under any key
    desk = Desk(configuration, Templates(settings.templates), keys)
    if store is not None:
        desk.mailboxes = Mailboxes(await store.failing_mailboxes())
    for role in configuration.roles:
        if store is not None and (handoff := await store.handoff(role.key)) is not None:
            desk.handoffs[role.key] = current(handoff)
    return desk


def _data(roles: Sequence[Role], found: Explanation) -> dict[str, object]:
    plan = found.plan
    reply = plan.reply if plan else None
    return {
        "role": ",".join(role.key for role in roles),
        "refused": found.refused or None,
        "copies": [
            {
                "recipient": copy.recipient,
                "note": copy.note or None,
                "handoff": copy.handoffs[0] if copy.handoffs else None,
                "companion": copy.companion is not None,
            }
            for copy in (plan.copies if plan else ())
        ],
        "reply": {"recipient": reply.recipient, "subject": reply.subject, "text": reply.text}
        if reply
        else None,
        "notices": [notice.recipient for notice in found.notices],
        "reasons": list(found.reasons),
    }


def _lines(roles: Sequence[Role], sender: str, moment: datetime, found: Explanation) -> list[str]:
    columns = width()
    local = moment.astimezone(roles[0].time_zone)
    names = ", ".join(f"{role.name} <{role.address}>" for role in roles)
    lines = _wrapped(f"From <{sender}> to {names}, {local:%A %Y-%m-%d %H:%M} {local.tzname()}", columns, "")
    plan = found.plan
    if plan is None:
        lines += ["", *_wrapped(_refusal(found.refused), columns, "")]
        return [*lines, *_why(found.reasons, columns)]
    alike: dict[tuple[str, str], list[str]] = {}
    for copy in plan.copies:
        alike.setdefault((_form(copy), copy.note), []).append(copy.recipient)
    for (form, note), recipients in alike.items():
        verb = "gets" if len(recipients) == 1 else "each get"
        lines += ["", *_wrapped(f"{joined(recipients)} {verb} {form}.", columns, "")]
        lines += [f"  | {line}".rstrip() for line in note.strip().splitlines()]
    if plan.reply:
        lines += [
            "",
            f"{plan.reply.recipient} is answered, once:",
            f"  | Subject: {plan.reply.subject}",
            "  |",
        ]
        lines += [f"  | {line}".rstrip() for line in plan.reply.text.strip().splitlines()]
    for notice in found.notices:
        lines += ["", f"{notice.recipient} gets a message of ours about the {found.about}."]
    return lines + _why(found.reasons, columns)


def _refusal(reply: str) -> str:
    """The door's reply in words, its codes behind them."""
    code, _, rest = reply.partition(" ")
    status, _, words = rest.partition(" ")
    if code.startswith("4"):
        return f"It would be put off, and tried again by its sender's server: {words} ({code} {status})"
    return f"It would be refused, and come back to its sender: {words} ({code} {status})"


def _why(reasons: Sequence[str], columns: int) -> list[str]:
    lines = ["", "Why:"] if reasons else []
    for reason in reasons:
        lines += _wrapped(reason, columns, "  - ")
    return lines


def _wrapped(text: str, columns: int, first: str) -> list[str]:
    return textwrap.wrap(text, max(columns, 30), initial_indent=first, subsequent_indent=" " * len(first))


def _form(copy: Copy) -> str:
    what = [
        word
        for word, there in (
            ("a note", copy.note),
            (f"handoff {', '.join(map(str, copy.handoffs))}", copy.handoffs),
        )
        if there
    ]
    if copy.companion is not None:
        return f"the mail untouched, and {' and '.join(what)} in a message of their own"
    return f"a copy with {' and '.join(what)}" if what else "a copy"


async def _print_copies(
    found: Explanation, raw: bytes, store: Reading | None, options: argparse.Namespace
) -> None:
    plan = found.plan
    if plan is None:
        return
    messages = [(f"{copy.recipient}", copy.pieces) for copy in plan.copies]
    messages += [(f"{copy.recipient} (companion)", copy.companion) for copy in plan.copies if copy.companion]
    messages += [(f"{notice.recipient} (about the {found.about})", notice.pieces) for notice in found.notices]
    if plan.reply:
        messages.append((f"{plan.reply.recipient} (automatic reply)", plan.reply.pieces))
    blobs = {0: raw}
    if store is not None:
        blobs |= {n: await store.handoff_body(n) for copy in plan.copies for n in copy.handoffs}
    for name, pieces in messages:
        print(f"\n=== to {name} ===")
        if options.diff:
            print("\n".join(changes(raw, pieces, blobs)))
            continue
        sys.stdout.flush()
        try:
            sys.stdout.buffer.write(render(pieces, blobs))
        except KeyError as error:
            raise MailrouterError("A handoff is missing in the store.") from error
        sys.stdout.buffer.flush()
