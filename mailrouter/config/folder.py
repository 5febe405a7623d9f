"""The files of a configuration, read into trees; and what is odd about the folder itself."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from mailrouter.config.cache import REMEMBERED
from mailrouter.config.configuration import HERE, SYSTEM
from mailrouter.config.files.rota_file import with_whole_weekdays
from mailrouter.config.yaml.reader import MAX_BYTES, read
from mailrouter.config.yaml.tree import Tree
from mailrouter.errors import Problem

SETTINGS_FILE = "mailrouter.yaml"
ROLES_FOLDER = "roles"
_LOOKS_LIKE_ROLE = re.compile(r"\.ya?ml(\.txt)?$", re.IGNORECASE)
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]*")
_KEY_HINT = "rename it, as in vp-hr.yaml: small letters, digits, hyphens, no spaces"


@dataclass(frozen=True, slots=True)
class Files:
    """Trees of the settings and roles, with problems and warnings about names.

    ``texts`` are the bytes that the roles' trees were made of, where they could be read.
    """

    settings: Tree
    roles: Mapping[str, Tree]
    odd: tuple[Problem, ...] = ()
    texts: Mapping[str, bytes] = field(default_factory=dict)
    settings_text: bytes = b""
    """What the settings' tree was made of; empty where the file can't be read."""


def files_in(folder: Path) -> Files:
    """The files in ``folder``; whatever is missing or can't be read is a problem in its place."""
    try:
        return _files_in(folder)
    except PermissionError as error:
        shown = _shown(Path(error.filename or folder))
        hint = (
            "run the command as the service's user or as root, as in  runuser -u mailrouter -- mailrouter …"
        )
        return Files(Tree(shown, problems=(Problem(shown, 1, 1, "this user may not read it", hint),)), {})


def _files_in(folder: Path) -> Files:
    if not folder.is_dir():
        return Files(Tree(_shown(folder), problems=(_no_folder(folder),)), {})
    names, odd = _role_files(folder)
    settings = _settings_tree(folder, alone=not names)
    if settings.root is None and not names:
        # One thing at a time: who starts needs the whole folder.
        odd = [problem for problem in odd if problem.file != _shown(folder / ROLES_FOLDER)]
    texts: dict[str, bytes] = {}
    trees = {}
    roles = folder / ROLES_FOLDER
    place, inside = _shown(roles), str(roles)
    for key, name in names.items():
        shown = os.path.join(place, name)
        data = _data(os.path.join(inside, name), shown)
        if isinstance(data, bytes):
            texts[key] = data
        trees[key] = role_tree(shown, data) if isinstance(data, bytes) else data
    text = _data(str(folder / SETTINGS_FILE), "") if (folder / SETTINGS_FILE).exists() else b""
    return Files(settings, trees, tuple(odd), texts, text if isinstance(text, bytes) else b"")


@lru_cache(maxsize=REMEMBERED)
def role_tree(shown: str, data: bytes) -> Tree:
    """The tree of a role's text, under its file's usual name.

    It is remembered: a service whose one file changes reads that one again, and not a thousand.
    """
    return with_whole_weekdays(read(shown, data))


def files_of(settings: str, key: str, role: str) -> Files:
    """The files of a configuration given as texts."""
    tree = role_tree(f"{ROLES_FOLDER}/{key}.yaml", role.encode())
    return Files(read(SETTINGS_FILE, settings.encode()), {key: tree})


def _no_folder(folder: Path) -> Problem:
    shown = _shown(folder)
    if folder.exists():
        within = folder.parent.parent if folder.parent.name == ROLES_FOLDER else folder.parent
        return Problem(
            shown,
            1,
            1,
            "this is a file, not a folder",
            f"name the folder it is in: --config {_shown(within)}",
        )
    what, into = "there is no such folder", shown
    if folder == SYSTEM:
        what, into = f"there is no configuration here, nor in {Path.cwd() / HERE}", str(HERE)
    return Problem(shown, 1, 1, what, f"`mailrouter init {into}` asks five questions and makes one")


def _settings_tree(folder: Path, *, alone: bool) -> Tree:
    path = folder / SETTINGS_FILE
    if path.exists():
        return _tree(path)
    hint = "make it; it may be empty, since every setting has a default"
    if alone:
        hint = f"`mailrouter init {_shown(folder)}` asks five questions and makes one"
    for name in ("mailrouter.yml", "mailrouter.yaml.txt", "Mailrouter.yaml", "mailrouter.YAML"):
        if (folder / name).exists():
            hint = f"rename {name} to {SETTINGS_FILE}"
    return Tree(_shown(path), problems=(Problem(_shown(path), 1, 1, "this file is missing", hint),))


def _role_files(folder: Path) -> tuple[dict[str, str], list[Problem]]:
    """The role files' names by short name, and warnings about odd ones."""
    roles = folder / ROLES_FOLDER
    try:
        names = sorted(name for name in os.listdir(roles) if not name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        names = []
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for name in names:  # words alone, no Path: there may be a thousand, and mail is waiting
        key, suffix = os.path.splitext(name)
        if suffix not in (".yaml", ".yml"):
            problems += _not_read(roles / name)
        elif not _KEY.fullmatch(key):
            shown = _shown(roles / name)
            problems.append(Problem(shown, 1, 1, f"`{key}` can't be a role's short name", _KEY_HINT))
        elif key in found:
            what = f"the role {key} has a second file"
            hint = f"keep one of {found[key]} and {name}"
            problems.append(Problem(_shown(roles / name), 1, 1, what, hint))
        else:
            found[key] = name
    if not found and not any(not problem.warning for problem in problems):
        hint = "put one file a role there, as roles/vp-hr.yaml"
        problems.append(Problem(_shown(roles), 1, 1, "there is no role here", hint))
    return found, problems


def _not_read(path: Path) -> Iterator[Problem]:
    """A file that was probably meant to be a role: an editor's extra ``.txt``, capitals."""
    if _LOOKS_LIKE_ROLE.search(path.name):
        what = "this file is not read: its name doesn't end in .yaml"
        yield Problem(_shown(path), 1, 1, what, "rename it, or move it away", warning=True)


def _tree(path: Path) -> Tree:
    shown = _shown(path)
    data = _data(str(path), shown)
    return read(shown, data) if isinstance(data, bytes) else data


def _data(path: str, shown: str) -> bytes | Tree:
    """A file's bytes; or a tree that says why there are none."""
    try:
        if not _is_file(path):
            return Tree(shown, problems=(Problem(shown, 1, 1, "this is not a file"),))
        # Without a buffer: a thousand of them are a third of the time.
        with open(path, "rb", buffering=0) as file:
            data = file.read(MAX_BYTES + 1)
            # Some file systems give less than there is: half a file may be a schedule, too.
            while len(data) <= MAX_BYTES and (more := file.read(MAX_BYTES + 1 - len(data))):
                data += more
            return data
    except PermissionError:
        raise
    except OSError as error:
        what = f"the file can't be read: {error.strerror or error}"
        return Tree(shown, problems=(Problem(shown, 1, 1, what),))


def _is_file(path: str) -> bool:
    """Whether it is a file, asked before it is opened: opening a pipe would wait for ever. Raises PermissionError."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except PermissionError:
        raise
    except OSError:
        return False


def _shown(path: Path) -> str:
    """The path as given, or relative where it is below this folder."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):  # not below it; or it was deleted
        return str(path)
