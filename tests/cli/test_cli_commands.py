"""Each command that the help names can be run."""

from __future__ import annotations

import argparse
import subprocess
import sys

import pytest

from mailrouter.cli import command_named
from mailrouter.cli.options import parser


def commands() -> list[str]:
    """All that the command line knows."""
    (found,) = (each for each in parser()._actions if isinstance(each, argparse._SubParsersAction))
    return sorted(found.choices)


@pytest.mark.parametrize("command", commands())
def test_a_command_has_its_function(command: str) -> None:
    """In the module of its name."""
    assert callable(command_named(command))


@pytest.mark.parametrize("command", commands())
def test_a_command_loads_by_itself_what_it_needs(command: str) -> None:
    """In a process that has loaded nothing else."""
    program = f"from mailrouter.cli import command_named; command_named({command!r})"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
