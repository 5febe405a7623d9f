"""The two kinds of YAML files, made into facts; every problem with its place.

Importing this costs little: PyYAML and pydantic are imported when something is loaded.
"""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mailrouter.config.configuration import HERE, SYSTEM, Configuration
from mailrouter.config.settings import Destination, Settings
from mailrouter.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from mailrouter.config.effective import FileInForce

__all__ = [
    "Configuration",
    "Destination",
    "Settings",
    "default_folder",
    "inspect",
    "load",
    "problems_of_texts",
    "settings_of",
]


def load(folder: Path, *, fqdn: Callable[[], str] = socket.getfqdn) -> Configuration:
    """The configuration in ``folder``; ``fqdn`` names the machine where the file gives no ``hostname``.

    Raises ConfigurationError with every problem of every file. Whether the schedule makes sense
    (days with nobody and the like) is for ``mailrouter.schedule`` to say.
    """
    from mailrouter.config.loading import read_folder

    return read_folder(Path(folder), fqdn)


def settings_of(folder: Path, *, fqdn: Callable[[], str] = socket.getfqdn) -> Settings:
    """The settings in ``folder`` alone, usable while a role's file is broken.

    What follows from the roles (``our_domains``) is left out. Raises ConfigurationError.
    """
    from mailrouter.config.loading import read_settings

    return read_settings(Path(folder), fqdn)


def inspect(folder: Path, *, fqdn: Callable[[], str] = socket.getfqdn) -> tuple["FileInForce", ...]:
    """Every value in force in ``folder``, and where each comes from. Raises ConfigurationError."""
    from mailrouter.config.effective import in_force
    from mailrouter.config.folder import files_in
    from mailrouter.config.loading import configuration_of

    files = files_in(Path(folder))
    return in_force(configuration_of(Path(folder), files, fqdn), files)


def problems_of_texts(settings: str, key: str, role: str) -> tuple[Problem, ...]:
    """Problems that ``load`` would find if the files held these texts.

    The files are ``mailrouter.yaml`` and ``roles/KEY.yaml``.
    """
    from mailrouter.config.folder import files_of
    from mailrouter.config.loading import configuration_of

    try:
        configuration_of(Path(), files_of(settings, key, role), lambda: "localhost")
    except ConfigurationError as found:
        return found.problems
    return ()


def default_folder() -> Path:
    """``config/`` where there is one that may be looked at, else ``/etc/mailrouter``."""
    # os.access and not Path.is_dir, which raises in a folder that this user may not enter (sudo -u, containers).
    return HERE if os.access(HERE, os.R_OK | os.X_OK) and HERE.is_dir() else SYSTEM
