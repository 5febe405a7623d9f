"""YAML as an editor's language server reads it: version 1.2's core schema (YAML 1.2 §10.3.2), by PyYAML."""

from __future__ import annotations

import re
from typing import Any

import yaml


class CoreLoader(yaml.SafeLoader):
    """Numbers, true, false and null are values; dates, `yes`, `NO` and `12:30` are texts."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's own way of setting them)


for tag, pattern, first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{pattern})$"), list(first))


def read(text: str) -> Any:
    """The data of a text; an empty text is an empty mapping. Raises yaml.YAMLError."""
    found = yaml.load(text, CoreLoader)
    return {} if found is None else found
