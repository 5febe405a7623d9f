"""The configuration in force while files change under a service: each role's file as it is, or as it last was right.

One role's broken file holds back neither the service nor the other roles. What was right last is kept in the run
folder (``good/ROLE.yaml``, mode 0600), so that it holds over a restart too; and so are the settings (``good/settings``),
as a whole: a mixture of old and new ones would be a configuration that nobody wrote.
"""

from __future__ import annotations

import contextlib
import logging
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mailrouter.config.atomic_write import make_folder, replace_private
from mailrouter.config.configuration import Configuration
from mailrouter.config.files.fields import Reading
from mailrouter.config.files.settings_file import SettingsFile
from mailrouter.config.folder import ROLES_FOLDER, Files, files_in, role_tree
from mailrouter.config.loading import configuration_of, dotless_domains, validated
from mailrouter.config.yaml.reader import MAX_BYTES, read
from mailrouter.errors import ConfigurationError, Problem
from mailrouter.schedule.model import Role

log = logging.getLogger("mailrouter.config")

GOOD_FOLDER = "good"
GOOD_SETTINGS = "settings"
"""A role's short name with its ending can't be this."""
_RUN_FOLDER = re.compile(r"^run_folder:[ \t]*+[\"']?([^\"'#\n]{1,1000}+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Broken:
    """A role's file that can't be used as it is. ``kept``: what it said before holds instead."""

    key: str
    text: bytes
    problems: tuple[Problem, ...]
    kept: bool


@dataclass(frozen=True, slots=True)
class Serving:
    """A configuration in force, with its roles' texts and faults.

    ``vanished`` names the roles whose files are missing; what these said is in ``texts`` and still in force.
    """

    configuration: Configuration
    texts: Mapping[str, bytes]
    broken: tuple[Broken, ...] = ()
    vanished: frozenset[str] = frozenset()
    settings_text: bytes = b""
    settings_problems: tuple[Problem, ...] = ()
    """Why the settings' file can't be used; what it said when it was right last holds instead."""

    def role(self, key: str) -> Role:
        """A role that is in force. Raises KeyError."""
        found = self.configuration.role_for(key)
        if found is None or found.key != key:
            raise KeyError(key)
        return found


def serving(
    folder: Path,
    *,
    starting: bool = False,
    instead: Mapping[str, bytes] | None = None,
    missed: Mapping[str, bytes] | None = None,
    fqdn: Callable[[], str] = socket.getfqdn,
) -> Serving:
    """Read the configuration in force in ``folder``. Texts in ``instead`` take the place of those roles' files.

    A broken role without a text that was right before is left out; ``starting`` refuses it. ``missed`` holds texts
    of roles that go on although their files are gone; at a start they are those that were in force last. Broken settings
    are those that were right last at a start, where these are found. Raises ConfigurationError: the settings are
    broken, or what is left is.
    """
    folder = Path(folder)
    files = files_in(folder)
    try:
        found = _served(folder, files, starting, instead, missed, fqdn)
        return replace(found, settings_text=files.settings_text)
    except ConfigurationError as error:
        if not starting:
            raise
        problems = tuple(p for p in error.problems if p.file == files.settings.file)
        text = _last_settings(folder, files, fqdn) if problems else None
        if text is None:
            raise
        with contextlib.suppress(ConfigurationError):
            back = replace(files, settings=read(files.settings.file, text))
            found = _served(folder, back, starting, instead, missed, fqdn)
            return replace(found, settings_text=text, settings_problems=problems)
        raise


def _last_settings(folder: Path, files: Files, fqdn: Callable[[], str]) -> bytes | None:
    """The settings that were right last; None where they can't be found.

    They lie in the run folder, which the broken file may name: that line is looked for in its text, and else the usual
    place. Settings that name another run folder than the one in which they lie are of another service.
    """
    base = folder.absolute().parent
    named = _RUN_FOLDER.search(files.settings_text[:MAX_BYTES].decode("utf-8", "replace"))
    places = [base / named[1].strip()] if named else []
    for place in (*places, base / SettingsFile().run_folder):
        try:
            text = (place / GOOD_FOLDER / GOOD_SETTINGS).read_bytes()
        except OSError:
            continue
        found = _run_folder(folder, replace(files, settings=read(files.settings.file, text)), fqdn)
        if found is not None and found.resolve() == place.resolve():
            return text
    return None


def _served(
    folder: Path,
    files: Files,
    starting: bool,
    instead: Mapping[str, bytes] | None,
    missed: Mapping[str, bytes] | None,
    fqdn: Callable[[], str],
) -> Serving:
    if starting and missed is None and (run_folder := _run_folder(folder, files, fqdn)) is not None:
        missed = read_good(run_folder)
    gone = {key: text for key, text in (missed or {}).items() if key not in files.roles}
    if gone:
        with contextlib.suppress(ConfigurationError):
            found = _in_force(folder, _beside(files, gone), instead, fqdn, starting)
            # A renamed file has the same address: one of the two would be to blame.
            if not any(broken.key in gone for broken in found.broken):
                return replace(found, vanished=frozenset(gone))
    return _in_force(folder, files, instead, fqdn, starting)


def _beside(files: Files, gone: Mapping[str, bytes]) -> Files:
    """``files`` with the ``gone`` roles last. Of two roles with one address, these are to blame."""
    place = Path(files.settings.file).parent / ROLES_FOLDER
    trees = {key: role_tree(str(place / f"{key}.yaml"), text) for key, text in gone.items()}
    return replace(files, roles={**files.roles, **trees}, texts={**files.texts, **gone})


def _in_force(
    folder: Path,
    files: Files,
    instead: Mapping[str, bytes] | None,
    fqdn: Callable[[], str],
    starting: bool,
) -> Serving:
    texts = {**files.texts, **(instead or {})}
    files = _with(files, {key: text for key, text in (instead or {}).items() if key in files.roles})
    try:
        return Serving(configuration_of(folder, files, fqdn), texts)
    except ConfigurationError as error:
        return _without_broken(folder, files, texts, error, fqdn, starting)


def _without_broken(
    folder: Path,
    files: Files,
    texts: Mapping[str, bytes],
    error: ConfigurationError,
    fqdn: Callable[[], str],
    starting: bool,
) -> Serving:
    run_folder = _run_folder(folder, files, fqdn)
    if run_folder is None:
        raise error
    good = read_good(run_folder)
    by_file = {tree.file: key for key, tree in files.roles.items()}
    at_fault = {by_file[p.file] for p in error.problems if p.file in by_file}
    if not at_fault or any(p.file not in by_file for p in error.problems):
        raise error
    # Of two files that claim the same address the second is blamed; so if going back on those that are blamed
    # mends nothing, all that have changed go back.
    everything = {key for key in files.roles if good.get(key) != texts.get(key)} | at_fault
    for back in (at_fault, everything):
        if starting and not back <= good.keys():
            continue
        roles = {key: tree for key, tree in files.roles.items() if key not in back or key in good}
        mended = _with(replace(files, roles=roles), {key: good[key] for key in back if key in good})
        try:
            configuration = configuration_of(folder, mended, fqdn)
        except ConfigurationError:
            continue
        if not configuration.roles:
            break
        broken = []
        for key in sorted(back):
            mine = tuple(p for p in error.problems if p.file == files.roles[key].file)
            broken.append(Broken(key, texts.get(key, b""), mine or tuple(error.problems), key in good))
        in_force = {
            key: good[key] if key in back else text
            for key, text in texts.items()
            if key not in back or key in good
        }
        return Serving(configuration, in_force, tuple(broken))
    raise error


def _with(files: Files, texts: Mapping[str, bytes]) -> Files:
    trees = {key: role_tree(files.roles[key].file, text) for key, text in texts.items()}
    return replace(files, roles={**files.roles, **trees})


def _run_folder(folder: Path, files: Files, fqdn: Callable[[], str]) -> Path | None:
    problems: list[Problem] = []
    file = validated(SettingsFile, files.settings, Reading(dotless_domains(files.settings)), problems)
    return file.facts(folder.absolute().parent, (), fqdn).run_folder if file else None


def read_good(run_folder: Path) -> dict[str, bytes]:
    """The roles' texts that were right last, by short name."""
    found = {}
    for path in sorted((run_folder / GOOD_FOLDER).glob("*.yaml")):
        if path.name.startswith("."):
            continue
        try:
            found[path.stem] = path.read_bytes()
        except OSError as error:
            log.error("%s can't be read: %s", path, error.strerror)
    return found


def keep_good(now: Serving, known: Mapping[str, bytes] | None = None) -> None:
    """Remember the texts in force, and forget those of removed roles.

    ``known`` are the texts that lie there already, which are read if it is None. Raises OSError.
    """
    folder = now.configuration.settings.run_folder / GOOD_FOLDER
    make_folder(folder, 0o700)
    if now.settings_text and not now.settings_problems:
        settings = folder / GOOD_SETTINGS
        if not settings.exists() or settings.read_bytes() != now.settings_text:
            replace_private(settings, now.settings_text)
    _keep_roles(now, folder, known)


def _keep_roles(now: Serving, folder: Path, known: Mapping[str, bytes] | None) -> None:
    if known is None:
        known = read_good(now.configuration.settings.run_folder)
    for key, text in now.texts.items():
        if known.get(key) != text:
            replace_private(folder / f"{key}.yaml", text)
    for key in known.keys() - now.texts.keys():
        (folder / f"{key}.yaml").unlink(missing_ok=True)


def proposed(folder: Path, key: str, text: bytes, hostname: str) -> Serving:
    """The configuration in force if a role's file held ``text``. Raises ConfigurationError with its problems."""
    found = serving(folder, instead={key: text}, fqdn=lambda: hostname)
    for broken in found.broken:
        if broken.key == key:
            raise ConfigurationError(broken.problems)
    if found.texts.get(key) != text:
        raise ConfigurationError([Problem(f"{key}.yaml", 1, 1, "there is no such role")])
    return found
