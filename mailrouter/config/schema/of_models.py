"""The JSON Schema of a model of ours: its keys, with what people read about them."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from mailrouter.config.files.fields import About, Lines
from mailrouter.config.values.forms import Schema, either, key, lines, words


def schema_of_lines(model: type[Lines], known: dict[str, Schema], **more: Any) -> Schema:
    """The form of the lines that a model reads; ``known`` are the forms of keys that the model does not give."""
    keys = {
        name: _key(field, about, known.get(name))
        for name, (field, about) in model.described().items()
        if about is not None
    }
    needed = tuple(name for name, (field, _) in model.described().items() if field.is_required())
    return lines(keys, needed, **more, **model.demands)


def _key(field: FieldInfo, about: About, known: Schema | None) -> Schema:
    inner = _model_in(field.annotation)
    form, default = about.form or known, about.default
    if form is None and inner is not None:
        form = schema_of_lines(inner, {})
        form = either(words(*get_args(about.word)), form) if about.word else form
    if form is None:
        form = words(*get_args(field.annotation))
    if default is None and not about.otherwise and not field.is_required():
        default = _typed(field.default)
    return key(about.says, form, *about.examples, default=default, otherwise=about.otherwise)


def _model_in(annotation: Any) -> type[Lines] | None:
    """The lines that stand below a key, if some do."""
    if isinstance(annotation, type) and issubclass(annotation, Lines):
        return annotation
    if get_origin(annotation) is Literal:
        return None
    found = (arg for arg in get_args(annotation) if isinstance(arg, type) and issubclass(arg, Lines))
    return next(found, None)


def _typed(default: Any) -> Any:
    """A default as one would type it."""
    if isinstance(default, Lines):
        return {name: getattr(default, name) for name in type(default).model_fields}
    return default
