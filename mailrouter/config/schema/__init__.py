"""The JSON Schemas (draft 2020-12) of the two kinds of files: for editors, and for the reference in docs.

Imported by ``mailrouter schema`` and ``init`` alone, so that nothing else pays for it. What loading accepts
is said by the models (``settings_file``, ``role_file``); a test holds both to the same keys, words, defaults.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from mailrouter.config.schema.role_keys import role
from mailrouter.config.schema.settings_keys import settings
from mailrouter.config.values.forms import Schema

__all__ = ["KINDS", "Schema", "file_name", "schema_of", "texts"]

KINDS = ("settings", "role")


def schema_of(kind: str) -> Schema:
    """The schema of ``mailrouter.yaml`` (``settings``) or of a role's file (``role``). Raises KeyError."""
    return {"settings": settings, "role": role}[kind]()


def file_name(kind: str) -> str:
    """The name of the schema's file; the first lines of the configuration files name it."""
    return f"{kind}.schema.json"


def texts() -> Mapping[str, str]:
    """Both schemas as JSON text, by file name."""
    return {file_name(kind): text_of(schema_of(kind)) for kind in KINDS}


def text_of(schema: Schema) -> str:
    """A schema as it stands in its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
