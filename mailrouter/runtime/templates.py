"""Jinja2 templates for what people read: compiled once, sandboxed, their output capped.

The shipped ones lie in ``templates/`` of the project (in the wheel: ``mailrouter/_shipped/templates``); a
deployment may override each by a file of the same name in the folder that its ``templates:`` setting names.

Names, lists and conditions are all that a text for people needs, so little else is there: what could grow
without bound (``range``, ``format``, ``center``, long products) is not known here, and says so when the
template is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

import mailrouter
from mailrouter.errors import MailrouterError
from mailrouter.runtime.template_samples import SAMPLES
from mailrouter.schedule.date_words import joined

MAX_OUTPUT = 20_000
"""Characters of a rendered text; a note is a few lines."""

_FILTERS = (
    *("capitalize", "count", "d", "default", "first", "join", "last", "length", "lower", "map", "reject"),
    *("rejectattr", "select", "selectattr", "sort", "string", "title", "trim", "unique", "upper"),
)
_METHODS = ("capitalize", "endswith", "lower", "startswith", "strip", "title", "upper", "items", "get")


class TemplateFault(MailrouterError):
    """A template can't be used; the text says which, where and why."""


class _Environment(ImmutableSandboxedEnvironment):
    # Even sandboxed, {{ 'a' * 999999999 }} would take a gigabyte before anything could look at the output.
    intercepted_binops = frozenset(("*", "**", "%"))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if not numbers or operator == "**" or abs(left) > 1e6 or abs(right) > 1e6:
            raise jinja2.exceptions.SecurityError(f"the operator {operator} is for small numbers here")
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> None:
        """None, so that ``"…".format`` is refused like other methods: a field's width knows no bound."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may read this attribute.

        It may read facts' own fields, and of built-in types' methods only those that can't make much of little.
        """
        if callable(value) and isinstance(obj, str | int | float | list | tuple | dict):
            return attr in _METHODS
        return bool(super().is_safe_attribute(obj, attr, value))


def shipped(folder: str) -> Path:
    """The place of a folder that ships with mailrouter: in the installed package, or in the checkout."""
    package = Path(mailrouter.__file__).parent
    installed = package / "_shipped" / folder
    return installed if installed.is_dir() else package.parent / folder


class Templates:
    """The compiled templates. Raises TemplateFault, naming file and line, if one can't be used.

    Each is tried with made-up facts of every kind at once, so that a misspelt name is found when the service
    starts, not when somebody falls ill.
    """

    def __init__(self, override: Path | None = None) -> None:
        folders = [str(shipped("templates") / "mail")]
        if override is not None:
            if not override.is_dir():
                raise TemplateFault(f"templates: there is no folder {override}.")
            folders = [str(override / "mail"), str(override), *folders]
        environment = _Environment(
            loader=jinja2.FileSystemLoader(folders),
            undefined=jinja2.StrictUndefined,
            autoescape=False,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        environment.globals.clear()
        environment.filters = {name: made for name, made in environment.filters.items() if name in _FILTERS}
        environment.filters["names"] = joined
        self._templates = {name: _loaded(environment, f"{name}.txt.j2", folders) for name in SAMPLES}
        for name, samples in SAMPLES.items():
            for facts in samples:
                self.render(name, facts)

    def render(self, name: str, facts: Mapping[str, object]) -> str:
        """The text of template ``name``. Raises TemplateFault for anything that goes wrong in it."""
        template = self._templates[name]
        length, text = 0, []
        try:
            for piece in template.generate(facts):
                length += len(piece)
                if length > MAX_OUTPUT:
                    raise TemplateFault(f"{template.filename}: it gives more than {MAX_OUTPUT} characters.")
                text.append(piece)
        except TemplateFault:
            raise
        except Exception as error:
            line = next(_lines(error.__traceback__, template.filename), "")
            raise TemplateFault(f"{template.filename}{line}: {error}.") from error
        return "".join(text)


def templates_of(override: Path | None) -> Templates:
    """The templates; those that are shipped are compiled once, as they don't change while a service runs (measured:
    60 ms). Raises TemplateFault."""
    return Templates(override) if override is not None else _shipped_alone()


@lru_cache(maxsize=1)
def _shipped_alone() -> Templates:
    return Templates()


def _loaded(environment: jinja2.Environment, name: str, folders: list[str]) -> jinja2.Template:
    try:
        return environment.get_template(name)
    except jinja2.TemplateSyntaxError as error:
        raise TemplateFault(f"{error.filename}:{error.lineno}: {error.message}") from error
    except jinja2.TemplateNotFound as error:
        raise TemplateFault(f"The template {name} is missing in {' and '.join(folders)}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateFault(f"The template {name} can't be read: {error}.") from error


def _lines(traceback: TracebackType | None, file: str | None) -> Iterator[str]:
    """``:7`` for each template place in the traceback. Jinja puts its lines there."""
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            yield f":{traceback.tb_lineno}"
        traceback = traceback.tb_next
