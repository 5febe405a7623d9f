"""The optional parts of an installation (extras): how one is added to the interpreter that runs."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import shlex
import sys
from urllib.parse import unquote, urlsplit


def installing(extra: str) -> str:
    """The command that adds ``extra``, for people; with the folder in which it is to be given where that matters.

    mailrouter is in no package index, so pip needs the folder of its source. What was installed from a folder
    says which (PEP 610).
    """
    source = ""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError, ValueError):
        said = importlib.metadata.distribution("mailrouter").read_text("direct_url.json")
        source = unquote(urlsplit(json.loads(said or "{}").get("url", "")).path)
    known = bool(source) and os.path.isdir(source)
    what = shlex.quote(f"{source if known else '.'}[{extra}]")
    command = f"{shlex.quote(sys.executable)} -m pip install {what}"
    return command if known else f"{command} (in the folder of mailrouter's source)"
