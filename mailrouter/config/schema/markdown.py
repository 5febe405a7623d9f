"""The reference of both files as Markdown, made from their schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mailrouter.config.to_yaml import flow
from mailrouter.config.values.forms import Schema

_START = """\
# The configuration, key by key

<!-- Made by `mailrouter schema --markdown`; change the descriptions in `mailrouter/config/schema/`, and a role's in
`mailrouter/config/files/`. -->

A configuration is a folder, `config/` here or `/etc/mailrouter`: `mailrouter.yaml` is IT's file, and each
role has a file in `roles/` that its partners keep. `mailrouter init DIR` makes such a folder by asking five
questions; `mailrouter check` says what is wrong with it, where, and what was probably meant; `mailrouter
print-config` shows what is in force and where each value comes from.

Values are taken as they were typed: `12:30`, `NO` and `on` are no traps here. A key with nothing after its
colon is as good as not written. A key that isn't known is a problem, never ignored. Paths count from the
folder above the configuration. Editors with a YAML language server (VS Code, Neovim, Emacs and others) read
the schema that the head of each file names: they complete keys and mark mistakes while you type.
"""


def reference(settings: Schema, role: Schema) -> str:
    """``docs/config.md``, as it is to stand there."""
    return "\n".join([_START, *_file(settings), *_file(role)])


def _file(schema: Schema) -> Iterator[str]:
    yield from (f"## {schema['title']}", "", schema["description"], "")
    needed = schema.get("required", ())
    for name, key in schema["properties"].items():
        yield from _key(name, key, name in needed, schema.get("$defs", {}))


def _key(name: str, key: Schema, needed: bool, shared: Mapping[str, Schema]) -> Iterator[str]:
    yield from (f"### {name}", "", f"{key['description']}{_status(key, needed)}", "")
    if allowed := _words(key):
        yield from (allowed, "")
    if form := _lines_in(key, shared):
        yield from (*_table(form), "")
        for inner, lines in form["properties"].items():
            # What is a key of its own has a place of its own.
            if inner == "calendar" and (below := _lines_in(lines, shared)):
                yield from (f"Of `{inner}`:", "", *_table(below), "")
    if name == "rota":
        yield from (shared["day"]["description"], "")
    yield "```yaml"
    for number, example in enumerate(key["examples"]):
        yield from (["# or"] if number else []) + list(_typed(name, example))
    yield from ("```", "")


def _status(key: Schema, needed: bool) -> str:
    if needed:
        return " **Needed.**"
    return f" Default: `{flow(key['default'])}`." if "default" in key else ""


def _words(key: Schema) -> str:
    """The words to choose from, where the description does not name them."""
    forms = [key, *key.get("anyOf", ())]
    words = [f"`{word}`" for form in forms for word in form.get("enum", ())]
    told = all(word in key["description"] for word in words)
    return "" if told else f"One of {', '.join(words)}."


def _lines_in(key: Schema, shared: Mapping[str, Schema]) -> Schema | None:
    """The ``name: value`` lines below a key or in its entries. Weekdays are told in words."""
    forms = [key, *key.get("anyOf", ())]
    forms += [form[inner] for form in forms for inner in ("items", "additionalProperties") if form.get(inner)]
    for form in forms:
        found = shared[str(form["$ref"]).rpartition("/")[2]] if "$ref" in form else form
        if "properties" in found and "patternProperties" not in found:
            return found
    return None


def _table(form: Schema) -> Iterator[str]:
    yield from ("| key | what it is for | for example |", "| --- | --- | --- |")
    for name, key in form["properties"].items():
        says = f"{key['description']}{_status(key, name in form.get('required', ()))}"
        if allowed := _words(key):
            says += f" {allowed}"
        examples = ", ".join(f"`{flow(example)}`" for example in key["examples"])
        yield f"| `{name}` | {says} | {examples} |"


def _typed(name: str, example: Any) -> Iterator[str]:
    """An example as one would type it: lists of mappings and large mappings over several lines."""
    if isinstance(example, Mapping) and len(flow(example)) > 60:
        yield f"{name}:"
        yield from (f"  {key}: {flow(value)}" for key, value in example.items())
    elif isinstance(example, Sequence) and example and isinstance(example[0], Mapping):
        yield f"{name}:"
        yield from (f"  - {flow(entry)}" for entry in example)
    else:
        yield f"{name}: {flow(example)}"
