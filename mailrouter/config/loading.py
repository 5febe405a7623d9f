"""One folder read, checked and made into facts. Needs pydantic and PyYAML, so it is imported only to load."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from mailrouter.config.configuration import Configuration
from mailrouter.config.cross_checks import between_roles, keys_of_partners
from mailrouter.config.fields import Lines, Reading
from mailrouter.config.report import problems_of
from mailrouter.config.role_file import RoleFile
from mailrouter.config.rota_file import with_whole_weekdays
from mailrouter.config.settings_file import SettingsFile
from mailrouter.config.tree import Items, Mapping, Text, Tree, plain
from mailrouter.config.yaml_marks import MAX_BYTES, read
from mailrouter.errors import ConfigurationError, Problem

SETTINGS_FILE = "mailrouter.yaml"
ROLES_FOLDER = "roles"
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]*")

File = TypeVar("File", bound=Lines)


def read_folder(folder: Path, fqdn: Callable[[], str]) -> Configuration:
    """The configuration in ``folder``. Raises ConfigurationError with every problem of every file."""
    problems: list[Problem] = []
    tree = _settings_tree(folder)
    dotless = _dotless(tree)
    settings_file = _validated(SettingsFile, tree, Reading(dotless), problems)

    paths, odd_names = _role_files(folder)
    warnings = tuple(p for p in odd_names if p.warning)
    problems += (p for p in odd_names if not p.warning)
    trees = {key: with_whole_weekdays(_tree(path)) for key, path in paths.items()}
    role_files = {
        key: _validated(RoleFile, tree, Reading(dotless, keys_of_partners(tree)), problems)
        for key, tree in trees.items()
    }
    problems += between_roles(trees)
    if problems or settings_file is None:
        raise ConfigurationError(sorted(set(problems), key=lambda p: (p.file, p.line, p.column, p.what)))

    roles = tuple(file.facts(key) for key, file in sorted(role_files.items()) if file is not None)
    settings = settings_file.facts(folder.absolute().parent, roles, fqdn)
    return Configuration(folder, settings, roles, warnings)


def _validated(model: type[File], tree: Tree, reading: Reading, problems: list[Problem]) -> File | None:
    """The model's instance, or None where there is none; its problems are added to ``problems``."""
    problems += tree.problems
    if tree.root is None:
        return None
    if not isinstance(tree.root, Mapping):
        what = "the file should hold lines with a name, a colon and a value"
        problems.append(
            tree.problem(tree.root.line, tree.root.column, what, "as in  name: VP Human Resources")
        )
        return None
    try:
        found = model.model_validate(plain(tree.root), context=reading)
    except ValidationError as error:
        problems += problems_of(error, reading, tree)
        return None
    problems += problems_of(None, reading, tree)
    return found


def _settings_tree(folder: Path) -> Tree:
    path = folder / SETTINGS_FILE
    if path.exists():
        return _tree(path)
    hint = "`mailrouter init` makes a folder with working examples"
    what = f"there is no {SETTINGS_FILE} here" if folder.is_dir() else "there is no such folder"
    return Tree(
        _shown(path if folder.is_dir() else folder), problems=(Problem(_shown(path), 1, 1, what, hint),)
    )


def _dotless(tree: Tree) -> frozenset[str]:
    """The domains without a dot that IT has listed as theirs."""
    if not isinstance(tree.root, Mapping) or "our_domains" not in tree.root.entries:
        return frozenset()
    node = tree.root.entries["our_domains"].value
    items = node.items if isinstance(node, Items) else (node,)
    return frozenset((item.value or "").lower() for item in items if isinstance(item, Text))


def _role_files(folder: Path) -> tuple[dict[str, Path], list[Problem]]:
    """The roles' files by short name, and what is odd about names in that folder."""
    roles = folder / ROLES_FOLDER
    try:
        names = sorted(path.name for path in roles.iterdir() if not path.name.startswith("."))
    except OSError:
        names = []
    found: dict[str, Path] = {}
    problems: list[Problem] = []
    for name in names:
        path = roles / name
        if path.suffix not in (".yaml", ".yml"):
            problems += _not_read(path)
        elif not _KEY.fullmatch(path.stem):
            hint = "use small letters, digits, hyphens: the name is the role's short name"
            problems.append(Problem(_shown(path), 1, 1, f"`{path.stem}` can't be a role's short name", hint))
        elif path.stem in found:
            what = f"the role {path.stem} has a second file"
            problems.append(
                Problem(_shown(path), 1, 1, what, f"keep one of {found[path.stem].name} and {name}")
            )
        else:
            found[path.stem] = path
    if not found and not problems and folder.is_dir():
        hint = "put one file a role there, as roles/vp-hr.yaml"
        problems.append(Problem(_shown(roles), 1, 1, "there is no role here", hint))
    return found, problems


def _not_read(path: Path) -> Iterator[Problem]:
    """A file that was probably meant to be a role: an editor's extra ``.txt``, capitals."""
    if re.search(r"\.ya?ml(\.txt)?$", path.name, re.IGNORECASE):
        what = "this file is not read: its name doesn't end in .yaml"
        yield Problem(_shown(path), 1, 1, what, "rename it, or move it away", warning=True)


def _tree(path: Path) -> Tree:
    try:
        if not path.is_file():
            return Tree(_shown(path), problems=(Problem(_shown(path), 1, 1, "this is not a file"),))
        with path.open("rb") as file:
            return read(_shown(path), file.read(MAX_BYTES + 1))
    except OSError as error:
        what = f"the file can't be read: {error.strerror or error}"
        return Tree(_shown(path), problems=(Problem(_shown(path), 1, 1, what),))


def _shown(path: Path) -> str:
    """The path as given, or from here where it is below the current folder."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
