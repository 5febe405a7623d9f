"""The schema of ``roles/NAME.yaml``, the partners' file: what its models say, and the forms of the schedule."""

from __future__ import annotations

from mailrouter.config.files.role_file import RoleFile
from mailrouter.config.schema.of_models import schema_of_lines
from mailrouter.config.schema.schedule_keys import (
    ABSENCE,
    CALENDAR,
    HOLIDAYS,
    PARTNER,
    PERSON,
    SPECIAL_DAYS,
    SWAP,
    WEEK,
    WEEKS,
    day,
)
from mailrouter.config.values import forms
from mailrouter.config.values.forms import Schema, either, ref, words

_KNOWN: dict[str, Schema] = {
    "partners": {
        "type": "object",
        "minProperties": 1,
        "propertyNames": forms.SHORT_NAME,
        "additionalProperties": ref("partner"),
    },
    "rota": either(ref("week"), WEEKS),
    "special_days": SPECIAL_DAYS,
    "holidays": either(ref("holidays"), words("none")),
    "absences": {"type": "array", "items": ABSENCE},
    "swaps": {"type": "array", "items": SWAP},
}
"""Who works when: its forms are richer than the models tell."""


def role() -> Schema:
    """The schema, made anew at each call."""
    about = (
        "One role: its addresses, its partners, who works when, and how mail to it is treated. The file's name is the "
        "role's short name."
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "roles/NAME.yaml",
        **schema_of_lines(RoleFile, _KNOWN, description=about),
        "$defs": {
            "day": day(),
            "week": WEEK,
            "person": PERSON,
            "partner": PARTNER,
            "calendar": CALENDAR,
            "holidays": HOLIDAYS,
        },
    }
