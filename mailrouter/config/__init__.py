"""The two kinds of YAML files, made into facts; every problem with its place.

Importing this costs little: PyYAML and pydantic are imported when something is loaded.
"""

import socket
from collections.abc import Callable
from pathlib import Path

from mailrouter.config.configuration import Configuration
from mailrouter.config.settings import Destination, Settings

__all__ = ["Configuration", "Destination", "Settings", "default_folder", "load"]


def load(folder: Path, *, fqdn: Callable[[], str] = socket.getfqdn) -> Configuration:
    """The configuration in ``folder``; ``fqdn`` names the machine where the file gives no ``hostname``.

    Raises ConfigurationError with every problem of every file. Whether the schedule makes sense
    (days with nobody and the like) is for ``mailrouter.schedule`` to say.
    """
    from mailrouter.config.loading import read_folder

    return read_folder(Path(folder), fqdn)


def default_folder() -> Path:
    """``config/`` where there is one, else ``/etc/mailrouter``."""
    here = Path("config")
    return here if here.is_dir() else Path("/etc/mailrouter")
