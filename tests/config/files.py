"""A role's file that is right, for tests to add to."""

from collections.abc import Callable
from pathlib import Path

from mailrouter.errors import Problem

MakeFolder = Callable[..., Path]
ProblemsOf = Callable[..., tuple[Problem, ...]]

ROLE = """\
role: vp-hr@example.test
name: VP Human Resources
time_zone: America/Los_Angeles
partners:
  laurie: {name: Laurie Cremona, email: laurie@example.test}
  elaine: {name: Elaine Miller, email: elaine@example.test}
rota:
  monday: laurie
"""
