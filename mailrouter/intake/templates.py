"""Jinja2 templates for what people read: compiled once, sandboxed, their output capped.

The shipped ones lie in ``templates/`` of the project (in the wheel: ``mailrouter/_shipped/templates``); a deployment
may override each by a file of the same name in the folder that its ``templates:`` setting names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

import mailrouter
from mailrouter.errors import MailrouterError

NAMES = ("note", "handoff", "companion", "reply")
MAX_OUTPUT = 20_000
"""Characters of a rendered text; a note is a few lines."""


class TemplateFault(MailrouterError):
    """A template can't be used; the text says which, where and why."""


class _Environment(ImmutableSandboxedEnvironment):
    # Even sandboxed, {{ 'a' * 999999999 }} would take a gigabyte before anything could look at the output.
    intercepted_binops = frozenset(("*", "**", "%"))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if not numbers or abs(left) > 1e6 or abs(right) > 1e6 or (operator == "**" and abs(right) > 16):
            raise jinja2.exceptions.SecurityError(f"the operator {operator} is for small numbers here")
        return super().call_binop(context, operator, left, right)


def shipped(folder: str) -> Path:
    """Where a folder that ships with mailrouter lies: in the installed package, or in the checkout."""
    package = Path(mailrouter.__file__).parent
    installed = package / "_shipped" / folder
    return installed if installed.is_dir() else package.parent / folder


class Templates:
    """The compiled templates. Raises TemplateFault, naming file and line, if one can't be compiled."""

    def __init__(self, override: Path | None = None) -> None:
        folders = [str(shipped("templates") / "mail")]
        if override is not None:
            folders = [str(override / "mail"), str(override), *folders]
        environment = _Environment(
            loader=jinja2.FileSystemLoader(folders),
            undefined=jinja2.StrictUndefined,
            autoescape=False,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        self._templates: dict[str, jinja2.Template] = {}
        for name in NAMES:
            try:
                self._templates[name] = environment.get_template(f"{name}.txt.j2")
            except jinja2.TemplateSyntaxError as error:
                raise TemplateFault(f"{error.filename}:{error.lineno}: {error.message}") from error
            except jinja2.TemplateNotFound as error:
                raise TemplateFault(f"The template {name}.txt.j2 is missing in {' and '.join(folders)}.") from error
            except (OSError, UnicodeDecodeError) as error:
                raise TemplateFault(f"The template {name}.txt.j2 can't be read: {error}.") from error

    def render(self, name: str, facts: Mapping[str, object]) -> str:
        """The text of template ``name``. Raises TemplateFault for anything that goes wrong in it."""
        length = 0
        text = []
        try:
            for piece in self._templates[name].generate(facts):
                length += len(piece)
                if length > MAX_OUTPUT:
                    raise TemplateFault(f"The template {name}.txt.j2 gave more than {MAX_OUTPUT} characters.")
                text.append(piece)
        except TemplateFault:
            raise
        except Exception as error:
            raise TemplateFault(f"The template {name}.txt.j2 failed: {error}.") from error
        return "".join(text)
