"""Reading, checking and converting one configuration folder.

Needs pydantic and PyYAML, so it is imported only to load.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from mailrouter.config.cache import Remembered
from mailrouter.config.configuration import Configuration
from mailrouter.config.cross_checks import between_roles, keys_of_partners
from mailrouter.config.files.fields import Lines, Reading
from mailrouter.config.files.role_file import RoleFile
from mailrouter.config.files.settings_file import SettingsFile
from mailrouter.config.folder import Files, files_in
from mailrouter.config.report import few, problems_of
from mailrouter.config.settings import Settings
from mailrouter.config.settings_warnings import settings_warnings
from mailrouter.config.values.errors import few_guesses
from mailrouter.config.yaml.tree import Items, Mapping, Text, Tree, plain
from mailrouter.errors import ConfigurationError, Problem
from mailrouter.schedule.model import Role

File = TypeVar("File", bound=Lines)


def read_folder(folder: Path, fqdn: Callable[[], str]) -> Configuration:
    """The configuration in ``folder``. Raises ConfigurationError with every problem of every file."""
    return configuration_of(folder, files_in(folder), fqdn)


def read_settings(folder: Path, fqdn: Callable[[], str]) -> Settings:
    """The settings in ``folder``, whatever its roles say. Raises ConfigurationError with the problems of that file."""
    tree = files_in(folder).settings
    problems: list[Problem] = []
    found = validated(SettingsFile, tree, Reading(dotless_domains(tree)), problems)
    if problems or found is None:
        raise ConfigurationError(problems)
    return found.facts(folder.absolute().parent, (), fqdn)


def configuration_of(folder: Path, files: Files, fqdn: Callable[[], str]) -> Configuration:
    """The configuration that ``files`` in ``folder`` give. Raises ConfigurationError with every problem."""
    dotless = dotless_domains(files.settings)
    problems = [problem for problem in files.odd if not problem.warning]
    settings_file = validated(SettingsFile, files.settings, Reading(dotless), problems)
    read = {key: _read_role(tree, key, dotless) for key, tree in files.roles.items()}
    for found in read.values():
        problems += found.problems
    problems += between_roles(files.roles)
    if problems or settings_file is None:
        raise ConfigurationError(few(problems))

    roles = tuple(found.role for _, found in sorted(read.items()) if found.role is not None)
    settings = settings_file.facts(folder.absolute().parent, roles, fqdn)
    warnings = [problem for problem in files.odd if problem.warning]
    warnings += settings_warnings(files.settings, settings, roles)
    return Configuration(folder, settings, roles, tuple(warnings))


@dataclass(frozen=True, slots=True)
class _Read:
    """The role in a tree, with its problems."""

    role: Role | None
    problems: tuple[Problem, ...]


def _role_in(tree: Tree, key: str, dotless: frozenset[str]) -> _Read:
    problems: list[Problem] = []
    file = validated(RoleFile, tree, Reading(dotless, keys_of_partners(tree)), problems)
    role = file.facts(key) if file is not None and not problems else None
    return _Read(role, tuple(problems))


_read_role = Remembered(_role_in)


def validated(model: type[File], tree: Tree, reading: Reading, problems: list[Problem]) -> File | None:
    """The model's instance, or None where there is none; its problems are added to ``problems``."""
    problems += tree.problems
    if tree.root is None:
        return None
    if not isinstance(tree.root, Mapping):
        what = "the file should hold lines with a name, a colon and a value"
        example = "hostname: mx.example.com" if model is SettingsFile else "name: VP Human Resources"
        problems.append(tree.problem(tree.root.line, tree.root.column, what, f"as in  {example}"))
        return None
    if not tree.root.entries and model is RoleFile and not tree.problems:
        needed = "it needs role, name, time_zone, partners and rota at least"
        problems.append(Problem(tree.file, 1, 1, "the file is empty", needed))
        return None
    with few_guesses():
        try:
            found = model.model_validate(plain(tree.root), context=reading)
        except ValidationError as error:
            problems += problems_of(error, reading, tree)
            return None
    problems += problems_of(None, reading, tree)
    return found


def dotless_domains(tree: Tree) -> frozenset[str]:
    """The domains without a dot that IT has listed as theirs."""
    if not isinstance(tree.root, Mapping) or "our_domains" not in tree.root.entries:
        return frozenset()
    node = tree.root.entries["our_domains"].value
    items = node.items if isinstance(node, Items) else (node,)
    return frozenset((item.value or "").lower() for item in items if isinstance(item, Text))
