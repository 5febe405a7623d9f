"""The forms that values may have, as JSON Schema. Patterns keep to what Python and ECMAScript share.

An editor reads YAML 1.2, where ``4155550100`` is a number and a key with nothing after it is null; loading
takes everything as the text that was typed. So the forms allow what loading allows, and never less.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

_TIME = "([01]?[0-9]|2[0-3]):[0-5][0-9]"
_DATE = "2[01][0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_RANGE = f"{_TIME}\\s*[-\u2013\u2014]\\s*({_TIME}|24:00)"
_DOMAIN = "[^\\s@<>,;]+"

TEXT: Schema = {"type": ["string", "number", "boolean"]}
DATE: Schema = {"type": "string", "pattern": f"^{_DATE}$"}
MOMENT: Schema = {"type": "string", "pattern": f"^{_DATE}([ T]+({_TIME}|24:00))?$"}
_UNTIL = "([Uu][Nn][Tt][Ii][Ll]|[Tt][Oo]|[Tt][Ii][Ll][Ll]|[-\u2013\u2014])"
DAYS: Schema = {"type": "string", "pattern": f"^{_DATE}(\\s+{_UNTIL}\\s+{_DATE})?$"}
DAY_AND_HOURS: Schema = {"type": "string", "pattern": f"^{_DATE}([ T]+{_RANGE})?$"}
LAST_MOMENT: Schema = {
    "type": "string",
    "pattern": f"^({_DATE}([ T]+({_TIME}|24:00))?|([Uu]ntil )?[Ff]urther [Nn]otice)$",
}
EVERY: Schema = {
    "type": "string",
    "pattern": "^([Ee][Vv][Ee][Rr][Yy] )?[A-Za-z0-9]+([ ,&]+[A-Za-z]+)*$",
}
HOURS: Schema = {"type": "string", "pattern": f"^{_RANGE}$"}
TIME: Schema = {"type": "string", "pattern": f"^{_TIME}$"}
WEEKDAY: Schema = {
    "type": "string",
    "pattern": "^([Mm][Oo][Nn]|[Tt][Uu][Ee]|[Ww][Ee][Dd]|[Tt][Hh][Uu]|[Ff][Rr][Ii]|[Ss][Aa][Tt]|[Ss][Uu][Nn])[A-Za-z]*$",
}
EMAIL: Schema = {"type": "string", "pattern": f'^(?!mailto:)("[^"]+"|[^\\s@<>",;]+)@{_DOMAIN}$'}
ROLE_ADDRESS: Schema = {"type": "string", "pattern": f'^[^\\s@<>",;+]+@{_DOMAIN}$'}
PHONE: Schema = {
    "type": ["string", "integer"],
    "pattern": "^[0-9+().,/*# \u00a0-]{3,40}( ?(x|X|[Ee][Xx][Tt]\\.?) ?[0-9]{1,8})?$",
}
PARTNER: Schema = {"type": "string", "pattern": "^[^\\s,:\\[\\]{}]{1,40}$"}
SHIFT: Schema = {"type": "string", "pattern": f"^[^\\s,:\\[\\]{{}}]+( +{_RANGE})?$"}
SHORT_NAME: Schema = {
    "pattern": "^[^\\s!-/:-@\\[-`{-~][^\\s!-,/:-@\\[-^`{-~]{0,39}$",
    "not": {"enum": ["both", "all", "everyone", "everybody", "nobody", "none", "null"]},
}
TIME_ZONE: Schema = {"type": "string", "pattern": "^([A-Za-z_]+(/[A-Za-z0-9_+-]+)+|UTC)$"}
COUNTRY: Schema = {"type": "string", "pattern": "^[A-Z]{2,3}$"}
DOMAIN: Schema = {"type": "string", "pattern": "^[^\\s@/:]+$"}
LISTEN: Schema = {"type": "string", "pattern": "^(\\[[0-9A-Fa-f:.]+\\]|[^:\\[\\]\\s]*):[0-9]{1,5}$"}
NETWORK: Schema = {
    "type": "string",
    "pattern": "^([0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(/[0-9]{1,3})?$",
}
DESTINATION: Schema = {"type": "string", "pattern": "^(maildir:(?!//).+|smtp://[^/@\\s?#]+/?)$"}
STORE: Schema = {"type": "string", "pattern": "^sqlite:(?!//)[^:].*$"}
CALENDAR_URL: Schema = {
    "type": "string",
    "pattern": "^([Hh][Tt][Tt][Pp][Ss]?|[Ww][Ee][Bb][Cc][Aa][Ll])://[^/@\\s]+(/\\S*)?$",
}
WEB_ADDRESS: Schema = {"type": "string", "pattern": "^https?://[^/?#\\s]+(/[^?#\\s]*)?$"}
CALENDAR_HOST: Schema = {"type": "string", "pattern": "^(\\[[0-9A-Fa-f:.]+\\]|[^\\s@/\\[\\]]+)$"}
ABSENT_WHEN: Schema = {"type": "string", "pattern": "^(out-of-office|busy|all-day|(category|title) +\\S.*)$"}
PATH: Schema = {"type": "string", "minLength": 1}
SIZE: Schema = {
    "type": ["string", "integer"],
    "pattern": "^[0-9]{1,12}(\\.[0-9]{1,3})?\\s*([kKmMgG]?[iI]?[bB])?$",
    "minimum": 65536,
}
DURATION: Schema = {"type": "string", "pattern": "^\\s*[0-9]{1,9}(\\.[0-9]{1,3})?\\s*[A-Za-z]+\\s*$"}
DURATION_OR_NEVER: Schema = {
    "type": "string",
    "pattern": "^\\s*([0-9]{1,9}(\\.[0-9]{1,3})?\\s*[A-Za-z]+|[Nn][Ee][Vv][Ee][Rr])\\s*$",
}


def words(*allowed: str) -> Schema:
    """One of some words."""
    return {"enum": list(allowed)}


def either(*forms: Schema) -> Schema:
    """Any of several forms."""
    return {"anyOf": list(forms)}


def some(form: Schema) -> Schema:
    """A list, for which one value may stand alone."""
    return either({"type": "array", "items": form}, form)


def ref(name: str) -> Schema:
    """The form of that name in the schema's ``$defs``."""
    return {"$ref": f"#/$defs/{name}"}


def key(says: str, form: Schema, *examples: Any, default: Any = None, otherwise: str = "") -> Schema:
    """One key: what it is for, what may stand there, and what holds where it isn't written.

    ``otherwise`` is the default in words, where there is no value that could be typed for it.
    """
    described: Schema = {"description": f"{says} Default: {otherwise}." if otherwise else says, **form}
    if default is not None:
        described["default"] = default
    return {**described, "examples": list(examples)} if examples else described


def lines(keys: Mapping[str, Schema], needed: tuple[str, ...] = (), **more: Any) -> Schema:
    """``name: value`` lines, none but these; one that isn't needed may stand without a value."""
    properties = {name: form if name in needed else _or_nothing(form) for name, form in keys.items()}
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False, **more}
    return {**found, "required": list(needed)} if needed else found


def _or_nothing(form: Schema) -> Schema:
    """A form that may stay empty. An empty value means: as if the key weren't written."""
    if isinstance(types := form.get("type"), str | list):
        return {**form, "type": [*([types] if isinstance(types, str) else types), "null"]}
    about: Schema = {name: form[name] for name in ("description", "default", "examples") if name in form}
    choices = form.get("anyOf") or [{name: form[name] for name in form if name not in about}]
    return {"description": about.pop("description"), "anyOf": [*choices, {"type": "null"}], **about}
