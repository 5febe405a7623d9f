"""The command line: ``mailrouter COMMAND``. Exit codes: 0 done, 1 the answer is no, 2 wrong use."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Coroutine, Sequence
from importlib import import_module
from typing import Any

from mailrouter.cli.options import parser
from mailrouter.errors import ConfigurationError, MailrouterError, NoSuchRole, UsageError
from mailrouter.turns import drive

Command = Callable[[argparse.Namespace], int | Coroutine[Any, Any, int]]
"""Gives the exit code. One that asks the store awaits its answers, and nothing else."""

_ROOMS = {
    "duty": ("calendar_address", "calendars", "off", "schedule", "swap", "undo", "who"),
    "operate": ("backup", "queue", "restore", "rotate_key", "trace"),
    "setup": ("check", "export_aliases", "init", "print_config", "schema"),
}
"""The commands whose modules stand in a room of their own below this one."""
_AS_WHOM = "run the command as the service's user or as root."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit code."""
    # Nothing that a command makes is worth collecting before it ends (measured: 40 of 450 ms); `serve` turns it on.
    gc.disable()
    options = _parsed(parser(), arguments)
    try:
        code = command_named(options.command)(options)
        # SQLite's answers are there at once; of a store that has to be waited for, this is the place.
        return code if isinstance(code, int) else drive(code)
    except ConfigurationError as error:
        from mailrouter.cli.common import width
        from mailrouter.cli.setup.check import render

        print(render(error.problems, width(), sys.stderr.isatty()), file=sys.stderr)
        return 1
    except (UsageError, NoSuchRole) as error:
        print(f"mailrouter {options.command}: {error}", file=sys.stderr)
        return 2
    except MailrouterError as error:
        print(f"mailrouter {options.command}: {error}", file=sys.stderr)
        return 1
    except PermissionError as error:
        print(
            f"mailrouter {options.command}: this user has no right to {error.filename}; {_AS_WHOM}",
            file=sys.stderr,
        )
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


def command_named(command: str) -> Command:
    """The function of a command, from the module of its name: `schedule` need not load what `serve` needs."""
    name = command.replace("-", "_")
    room = next((f"{room}." for room, commands in _ROOMS.items() if name in commands), "")
    run: Command = getattr(import_module(f"mailrouter.cli.{room}{name}"), name)
    return run
