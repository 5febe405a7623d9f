"""What each command can be asked, for argparse. The modules of the commands themselves are loaded only when they run."""

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
    for add in (
        _serve,
        _check,
        _init,
        _configuration,
        _explain,
        _schedule,
        _changes,
        _handoff,
        _queue,
        _demo,
    ):
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


def _serve(commands: Commands) -> None:
    serve = _command(commands, "serve", "Take mail and deliver it until stopped.")
    serve.add_argument("--verbose", action="store_true", help="log every message taken")


def _check(commands: Commands) -> None:
    check = _command(commands, "check", "Look for problems in the configuration.")
    check.add_argument("--json", action="store_true", help="as JSON")


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
    schedule.add_argument("--json", action="store_true", help="as JSON")


def _changes(commands: Commands) -> None:
    days = 'as people say it: today, Thursday, 21 Dec, 2026-12-21, "tomorrow 14:00"'
    off = _command(commands, "off", "Say that a partner is away; both are told.")
    off.add_argument("partner", metavar="PARTNER", help="who is away: the short name")
    off.add_argument("--from", dest="first", metavar="DAY", help=f"{days} (default: today)")
    off.add_argument("--until", dest="last", metavar="DAY", help="the last day, included (default: that day)")
    off.add_argument("--note", metavar="TEXT", help="why, for the partners alone")
    off.add_argument("--cover", metavar="PARTNER", help="who works instead")
    swap = _command(
        commands, "swap", "Say that a partner works on a day in place of the others; both are told."
    )
    swap.add_argument("partner", metavar="PARTNER", help="who works on that day: the short name")
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
    handoff.add_argument("action", choices=("show", "set", "history"))
    handoff.add_argument("role", metavar="ROLE", help="the role's short name or address")
    handoff.add_argument(
        "file", metavar="FILE", nargs="?", default="-", help="set: the text (default: standard input)"
    )
    handoff.add_argument(
        "--author", metavar="PARTNER", help="set: who wrote it (default: the partner on duty)"
    )
    handoff.add_argument("--json", action="store_true", help="as JSON")


def _queue(commands: Commands) -> None:
    queue = _command(commands, "queue", "Look into the queue.")
    queue.add_argument("action", choices=("list", "show"))
    queue.add_argument("id", metavar="ID", nargs="?", help="show: the message's queue id")
    queue.add_argument("--json", action="store_true", help="as JSON")


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
