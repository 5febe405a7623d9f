"""The command line: ``mailrouter COMMAND``. Exit codes: 0 done, 1 the answer is no, 2 wrong use."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

from mailrouter import __version__
from mailrouter.errors import ConfigurationError, MailrouterError, NoSuchRole, UsageError


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    top = argparse.ArgumentParser(
        prog="mailrouter",
        description="A mail relay for people who share one job: both get every mail, with the handoff and who is in.",
    )
    top.add_argument("--version", action="version", version=f"mailrouter {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, help: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, description=help)
        made.add_argument(
            "--config",
            metavar="DIR",
            type=Path,
            help="the configuration folder (default: config/, else /etc/mailrouter)",
        )
        return made

    serve = command("serve", "Take mail and deliver it until stopped.")
    serve.add_argument("--verbose", action="store_true", help="log every message taken")
    check = command("check", "Look for problems in the configuration.")
    check.add_argument("--json", action="store_true", help="as JSON")

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

    show = command("print-config", "Show what is in force and where each value comes from.")
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

    aliases = command("export-aliases", "Print the roles as plain Postfix aliases, to fall back on.")
    aliases.add_argument(
        "--format",
        choices=("virtual", "aliases"),
        default="virtual",
        help="virtual(5), the default, or aliases(5)",
    )

    explain = command("explain", "Show what would become of a message, and why.")
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

    schedule = command("schedule", "Show who is on duty.")
    schedule.add_argument("role", metavar="ROLE", help="the role's short name or address")
    schedule.add_argument("--from", dest="first", metavar="DATE", help="the first day (default: today)")
    schedule.add_argument(
        "--to", dest="last", metavar="DATE", help="the last day, included (default: 13 days later)"
    )
    schedule.add_argument("--json", action="store_true", help="as JSON")

    handoff = command("handoff", "Show or set a role's handoff.")
    handoff.add_argument("action", choices=("show", "set", "history"))
    handoff.add_argument("role", metavar="ROLE", help="the role's short name or address")
    handoff.add_argument(
        "file", metavar="FILE", nargs="?", default="-", help="set: the text (default: standard input)"
    )
    handoff.add_argument(
        "--author", metavar="PARTNER", help="set: who wrote it (default: the partner on duty)"
    )
    handoff.add_argument("--json", action="store_true", help="as JSON")

    queue = command("queue", "Look into the queue.")
    queue.add_argument("action", choices=("list", "show"))
    queue.add_argument("id", metavar="ID", nargs="?", help="show: the message's queue id")
    queue.add_argument("--json", action="store_true", help="as JSON")

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
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit code."""
    # Nothing that a command makes is worth collecting before it ends (measured: 40 of 450 ms); `serve` turns it on.
    gc.disable()
    options = _parsed(parser(), arguments)
    try:
        return _run(options)
    except ConfigurationError as error:
        from mailrouter.cli.check import render
        from mailrouter.cli.common import width

        print(render(error.problems, width(), sys.stderr.isatty()), file=sys.stderr)
        return 1
    except (UsageError, NoSuchRole) as error:
        print(f"mailrouter {options.command}: {error}", file=sys.stderr)
        return 2
    except MailrouterError as error:
        print(f"mailrouter {options.command}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader (head, less) has seen enough.
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130


def _parsed(top: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; ``handoff set ROLE --author NAME FILE`` as well, which argparse gives up on: it has FILE
    taken for left out once an option stands before it."""
    options, rest = top.parse_known_args(arguments)
    if rest and options.command == "handoff" and options.file == "-" and not rest[0].startswith("-"):
        options.file = rest.pop(0)
    if rest:
        top.error(f"unrecognized arguments: {' '.join(rest)}")
    if options.command == "handoff" and options.action != "set" and options.file != "-":
        top.error(f"handoff {options.action} takes no file: {options.file}")
    return options


def _run(options: argparse.Namespace) -> int:
    # Each command imports its own module: `schedule` need not load what `serve` needs.
    match options.command:
        case "serve":
            from mailrouter.cli.serve import serve

            return serve(options)
        case "check":
            from mailrouter.cli.check import check

            return check(options)
        case "init":
            from mailrouter.cli.init import init

            return init(options)
        case "print-config":
            from mailrouter.cli.print_config import print_config

            return print_config(options)
        case "schema":
            from mailrouter.cli.schema import schema

            return schema(options)
        case "export-aliases":
            from mailrouter.cli.export_aliases import export_aliases

            return export_aliases(options)
        case "explain":
            from mailrouter.cli.explain import explain

            return explain(options)
        case "schedule":
            from mailrouter.cli.schedule import schedule

            return schedule(options)
        case "handoff":
            from mailrouter.cli.handoff import handoff

            return handoff(options)
        case "demo":
            from mailrouter.cli.demo import demo

            return demo(options)
        case _:
            from mailrouter.cli.queue import queue

            return queue(options)
