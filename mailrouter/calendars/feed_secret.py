"""The feed's address in force: a word drawn at random, in ``run_folder/calendar-addresses.json``.

Without the file all feeds have their first address. It belongs into a backup beside the key: without it, addresses
that were taken out of use would work again.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from mailrouter.config.atomic_write import replace_private
from mailrouter.errors import StoreError

FILE = "calendar-addresses.json"


def generations(run_folder: Path) -> Mapping[str, str]:
    """The generations by ``ROLE`` or ``ROLE PARTNER``; those not named have ``""``. Raises StoreError.

    A file that can't be read is no empty one: then no address is to work rather than one taken out of use.
    """
    path = run_folder / FILE
    try:
        found = json.loads(path.read_bytes())
        if isinstance(found, dict) and all(isinstance(word, str) for word in found.values()):
            return found
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StoreError(f"{path} can't be read: {error.strerror}; no calendar feed is given.") from None
    except ValueError:
        pass  # told below
    raise StoreError(f"{path} is damaged, so no calendar feed is given; restore it from a backup.")


def draw_anew(run_folder: Path, name: str) -> None:
    """Take the present address of a feed out of use. Raises StoreError."""
    path = run_folder / FILE
    found = {**generations(run_folder), name: secrets.token_hex(8)}
    try:
        run_folder.mkdir(parents=True, exist_ok=True)
        replace_private(path, json.dumps(found, indent=1).encode())
    except OSError as error:
        raise StoreError(f"{path} can't be written: {error.strerror}.") from error


def name_of(role: str, partner: str = "") -> str:
    """Under what a feed's generation stands."""
    return f"{role} {partner}".rstrip()
