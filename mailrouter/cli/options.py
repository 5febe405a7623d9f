"""The options of each command, for argparse. The modules of the commands themselves are loaded only when they run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mailrouter import __version__

Commands = Any
"""What ``add_subparsers`` gives; its type has no public name."""


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    top = argparse.ArgumentParser(
        prog="mailrouter",
        description="A mail relay for people who share one job: both get every mail, with the handoff and who is in.",
    )
    top.add_argument("--version", action="version", version=f"mailrouter {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    groups = (
        _serve,
        _check,
        _init,
        _configuration,
        _explain,
        _schedule,
        _who,
        _calendars,
        _changes,
        _handoff,
        _queue,
        _shadow,
        _keeping,
        _demo,
    )
    for add in groups:
        add(commands)
    return top


def _command(commands: Commands, name: str, help: str) -> argparse.ArgumentParser:
    """A command that works with a configuration folder."""
    made: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)
    made.add_argument(
        "--config",
        metavar="DIR",
        type=Path,
        help="the configuration folder (default: config/, else /etc/mailrouter)",
    )
    return made


def _positive(text: str) -> int:
    """A whole number from 1 on. Raises ValueError."""
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def _serve(commands: Commands) -> None:
    serve = _command(commands, "serve", "Take mail and deliver it until stopped.")
    serve.add_argument("--verbose", action="store_true", help="log more, with the way to an unexpected error")
    serve.add_argument(
        "--shadow",
        action="store_true",
        help="a trial: take blind copies, deliver nothing, and record what would be done (see `shadow report`)",
    )
    serve.add_argument(
        "--log-format", choices=("text", "json"), help="how the log is written (default: as configured; text)"
    )


def _check(commands: Commands) -> None:
    check = _command(commands, "check", "Look for problems in the configuration.")
    check.add_argument("--json", action="store_true", help="as JSON")
    check.add_argument(
        "--live",
        action="store_true",
        help="ask the running service as well: the next server, what waits, mailboxes that fail",
    )
    check.add_argument(
        "--route",
        action="store_true",
        help="try the way of mail: ask the next server about each partner, and send a probe that has to come back to the "
        "running service (nobody gets anything)",
    )


def _init(commands: Commands) -> None:
    init = commands.add_parser(
        "init",
        help="Make a configuration by asking five questions.",
        description="Make a configuration by asking five questions.",
    )
    init.add_argument(
        "folder",
        metavar="DIR",
        type=Path,
        nargs="?",
        default=Path("config"),
        help="the folder to make (default: config)",
    )
    init.add_argument("--role", metavar="ADDR", help="the role's address")
    init.add_argument("--name", metavar="NAME", help="what people call the role")
    init.add_argument(
        "--partner", metavar="'NAME <ADDR>'", action="append", default=[], help="a partner; give it twice"
    )
    init.add_argument("--time-zone", metavar="ZONE", help="as in Europe/Berlin (default: the system's)")
    init.add_argument(
        "--deliver",
        metavar="WHERE",
        help="where copies go: smtp://HOST:25 or maildir:FOLDER (default: Maildirs, to try it)",
    )
    init.add_argument(
        "--yes", action="store_true", help="ask nothing: take the options, and defaults for the rest"
    )


def _configuration(commands: Commands) -> None:
    show = _command(commands, "print-config", "Show what is in force and where each value comes from.")
    show.add_argument("--json", action="store_true", help="as JSON")

    schema = commands.add_parser(
        "schema",
        help="Print the JSON Schema of a configuration file.",
        description="Print the JSON Schema of a configuration file.",
    )
    schema.add_argument(
        "kind",
        choices=("settings", "role"),
        nargs="?",
        help="settings: mailrouter.yaml; role: roles/NAME.yaml",
    )
    schema.add_argument(
        "--output", metavar="DIR", type=Path, help="write into this folder instead; without a kind, both"
    )
    schema.add_argument("--markdown", action="store_true", help="the reference of both files as Markdown")

    aliases = _command(
        commands, "export-aliases", "Print the roles as plain Postfix aliases, to fall back on."
    )
    aliases.add_argument(
        "--format",
        choices=("virtual", "aliases"),
        default="virtual",
        help="virtual(5), the default, or aliases(5)",
    )


def _explain(commands: Commands) -> None:
    explain = _command(commands, "explain", "Show what would become of a message, and why.")
    explain.add_argument("file", metavar="FILE", help="the message (.eml), or - for standard input")
    explain.add_argument(
        "--at", metavar="TIME", help='the moment, "YYYY-MM-DD HH:MM" in the role\'s time zone (default: now)'
    )
    explain.add_argument(
        "--from",
        dest="sender",
        metavar="ADDR",
        help="the envelope sender; <> for none (default: the From field)",
    )
    explain.add_argument(
        "--to",
        dest="recipient",
        metavar="ADDR",
        action="append",
        help="the role's address (default: the roles in To and Cc)",
    )
    explain.add_argument("--json", action="store_true", help="as JSON")
    explain.add_argument("--diff", action="store_true", help="show what each copy changes")
    explain.add_argument("--raw", action="store_true", help="show each copy whole, as it would be sent")


def _schedule(commands: Commands) -> None:
    schedule = _command(commands, "schedule", "Show who is on duty.")
    schedule.add_argument("role", metavar="ROLE", help="the role's short name or address")
    schedule.add_argument("--from", dest="first", metavar="DATE", help="the first day (default: today)")
    schedule.add_argument(
        "--to", dest="last", metavar="DATE", help="the last day, included (default: 13 days later)"
    )
    schedule.add_argument(
        "--week", metavar="DATE", nargs="?", const="", help="the week of this day (default: this week)"
    )
    schedule.add_argument(
        "--month",
        metavar="MONTH",
        nargs="?",
        const="",
        help="this month, as in 2026-12 (default: the current one)",
    )
    schedule.add_argument(
        "--svg", metavar="FILE", help="write a picture of the month instead; - is the standard output"
    )
    schedule.add_argument("--json", action="store_true", help="as JSON")
    schedule.add_argument("--ical", action="store_true", help="as an iCalendar file (default: half a year)")
    schedule.add_argument("--partner", metavar="PARTNER", help="with --ical: this partner's own shifts")


def _calendars(commands: Commands) -> None:
    calendars = _command(commands, "calendars", "Show what was read of the partners' own calendars.")
    calendars.add_argument("role", metavar="ROLE", nargs="?", help="of this role alone")
    calendars.add_argument("--refresh", action="store_true", help="read them now")
    calendars.add_argument("--json", action="store_true", help="as JSON")

    address = _command(commands, "calendar-address", "Print the secret address of a calendar feed.")
    address.add_argument("role", metavar="ROLE", help="the role's short name or address")
    address.add_argument("--partner", metavar="PARTNER", help="the feed of this partner's own shifts")
    address.add_argument("--new", action="store_true", help="take the present address out of use")


def _who(commands: Commands) -> None:
    who = _command(commands, "who", "Say who is in, in one line.")
    who.add_argument("role", metavar="ROLE", help="the role's short name or address")
    who.add_argument(
        "--at", metavar="TIME", help='the moment, "YYYY-MM-DD HH:MM" in the role\'s time zone (default: now)'
    )
    who.add_argument("--json", action="store_true", help="as JSON")


def _changes(commands: Commands) -> None:
    days = 'as people say it: today, Thursday, 21 Dec, 2026-12-21, "tomorrow 14:00"'
    off = _command(commands, "off", "Say that a partner is away; both are told.")
    off.add_argument("partner", metavar="PARTNER", help="who is away: short name, name or address")
    off.add_argument("--from", dest="first", metavar="DAY", help=f"{days} (default: today)")
    off.add_argument("--until", dest="last", metavar="DAY", help="the last day, included (default: that day)")
    off.add_argument("--note", metavar="TEXT", help="why, for the partners alone")
    off.add_argument("--cover", metavar="PARTNER", help="who works instead")
    swap = _command(
        commands, "swap", "Say that a partner works on a day in place of the others; both are told."
    )
    swap.add_argument("partner", metavar="PARTNER", help="who works on that day: short name, name or address")
    swap.add_argument("day", metavar="DAY", help=days)
    swap.add_argument(
        "--for", dest="back", metavar="DAY", help="the day given back, on which the others work"
    )
    swap.add_argument("--hours", metavar="HOURS", help="a part of the day, 13:00-17:00 (default: the role's)")
    undo = _command(commands, "undo", "Take back the last change of a schedule by mail or command.")
    for made in (off, swap, undo):
        made.add_argument(
            "--role", metavar="ROLE", help="short name or address (needed where it isn't clear)"
        )
        made.add_argument("--json", action="store_true", help="as JSON")


def _handoff(commands: Commands) -> None:
    handoff = _command(commands, "handoff", "Show or set a role's handoff.")
    handoff.add_argument(
        "action",
        choices=("show", "set", "history"),
        help="show the newest; set a new one from FILE; history lists the versions",
    )
    handoff.add_argument("role", metavar="ROLE", help="the role's short name or address")
    handoff.add_argument(
        "file", metavar="FILE", nargs="?", default="-", help="set: the text (default: standard input)"
    )
    handoff.add_argument(
        "--author", metavar="PARTNER", help="set: who wrote it (default: the partner on duty)"
    )
    handoff.add_argument("--json", action="store_true", help="as JSON")


def _queue(commands: Commands) -> None:
    queue = _command(commands, "queue", "Look into the queue, and steer it.")
    queue.add_argument(
        "action",
        choices=("list", "show", "retry", "hold", "release", "drop"),
        help="retry: try at once; hold: do not try until release; drop: give up, and tell nobody",
    )
    queue.add_argument("id", metavar="ID", nargs="*", help="messages, by their queue ids")
    queue.add_argument("--role", metavar="ROLE", help="what is for this role")
    queue.add_argument("--to", metavar="ADDR", help="what is for this mailbox")
    queue.add_argument("--from", dest="sender", metavar="ADDR", help="what this sender wrote")
    queue.add_argument(
        "--state",
        choices=("queued", "held", "failed", "bounced"),
        action="append",
        help="in this state; may be repeated; bounced: it came back, and can be sent again",
    )
    queue.add_argument("--older", metavar="TIME", help="came in longer ago: 2 h, 3 days")
    queue.add_argument("--newer", metavar="TIME", help="came in not so long ago")
    queue.add_argument("--due-within", metavar="TIME", help="will be tried within 10 min")
    queue.add_argument("--due-after", metavar="TIME", help="will not be tried within 10 min")
    queue.add_argument("--all", action="store_true", help="everything: instead of ids and filters")
    queue.add_argument("--limit", metavar="N", type=_positive, help="list: show so many messages (50)")
    queue.add_argument("--yes", action="store_true", help="drop: do not ask")
    queue.add_argument("--report", action="store_true", help="drop: tell the senders by a bounce")
    queue.add_argument("--json", action="store_true", help="as JSON")

    trace = _command(commands, "trace", "Tell what became of a mail.")
    trace.add_argument(
        "what",
        metavar="WHAT",
        help="a queue id, a Message-ID with its <>, or an address: what it sent and got",
    )
    trace.add_argument("--limit", metavar="N", type=_positive, help="show so many messages (20)")
    trace.add_argument("--json", action="store_true", help="as JSON")


def _keeping(commands: Commands) -> None:
    backup = _command(commands, "backup", "Copy store, key and configuration into one file.")
    backup.add_argument("file", metavar="FILE", type=Path, help="a tar file to make; .tar.gz compresses it")
    backup.add_argument("--force", action="store_true", help="write over a file that is there")

    restore = _command(commands, "restore", "Put back what `backup` copied.")
    restore.add_argument("file", metavar="FILE", type=Path, help="what `backup` made")
    restore.add_argument("--force", action="store_true", help="set aside what is there now")

    _command(commands, "rotate-key", "Make a new key; the one before it is taken while its tokens live.")


def _shadow(commands: Commands) -> None:
    shadow = _command(commands, "shadow", "Tell what a relay on trial (serve --shadow) would have done.")
    shadow.add_argument(
        "action", choices=("report",), help="how many, to whom and why, or all of one message"
    )
    shadow.add_argument("id", metavar="ID", nargs="?", help="tell of this message alone, with every reason")
    shadow.add_argument("--newest", metavar="N", type=int, default=10, help="list the newest N (default: 10)")
    shadow.add_argument("--json", action="store_true", help="as JSON")


def _demo(commands: Commands) -> None:
    demo = commands.add_parser(
        "demo",
        help="Try it: a relay, a few mails, and what became of them.",
        description="Try it: a relay in a folder of its own, a few mails, and what became of each. Nothing to set up.",
    )
    demo.add_argument("--once", action="store_true", help="end after the last mail instead of staying up")
    demo.add_argument("--port", type=int, default=0, help="listen on this port (default: a free one)")
    demo.add_argument(
        "--keep", metavar="DIR", type=Path, help="make everything in this folder, and leave it there"
    )
