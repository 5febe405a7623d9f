"""The JSON Schemas: the keys, words and defaults that loading has, and its verdicts as far as they can."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import yaml

from mailrouter import config
from mailrouter.config.files import (
    absence_file,
    calendar_file,
    people_file,
    role_file,
    role_parts,
    rota_file,
    settings_file,
)
from mailrouter.config.files.fields import Lines
from mailrouter.config.schema import KINDS, Schema, file_name, schema_of, texts
from mailrouter.config.schema.markdown import reference
from mailrouter.config.to_yaml import flow
from mailrouter.errors import ConfigurationError
from tests.config.broken import ADDED_TO_A_ROLE, REPLACED_IN_A_ROLE, SETTINGS
from tests.config.core_yaml import read
from tests.config.files import ROLE, MakeFolder
from tests.config.golden_files import CASES, GOLDEN

ROOT = Path(__file__).parents[2]
SETTINGS_SCHEMA, ROLE_SCHEMA = schema_of("settings"), schema_of("role")
CHECK = {kind: jsonschema.Draft202012Validator(schema_of(kind)) for kind in KINDS}


def keys_of(name: str) -> Schema:
    """One of the role's keys, as the form that holds lines."""
    key = ROLE_SCHEMA["properties"][name]
    forms = [key, *key.get("anyOf", ()), *([key["items"]] if "items" in key else [])]
    return next(form for form in forms if "properties" in form)


SAME: dict[type[Lines], Schema] = {
    settings_file.SettingsFile: SETTINGS_SCHEMA,
    settings_file.ListenFile: SETTINGS_SCHEMA["properties"]["listen"],
    settings_file.TimeoutsFile: SETTINGS_SCHEMA["properties"]["timeouts"],
    settings_file.RetryFile: SETTINGS_SCHEMA["properties"]["retry"],
    settings_file.LogFile: SETTINGS_SCHEMA["properties"]["log"],
    role_file.RoleFile: ROLE_SCHEMA,
    role_parts.EmergencyFile: keys_of("emergency"),
    role_parts.HandoffFile: keys_of("handoff"),
    role_parts.AutoReplyFile: keys_of("auto_reply"),
    role_parts.CopyFile: keys_of("copy"),
    role_parts.WeeklyFile: keys_of("weekly_mail"),
    people_file.PersonFile: ROLE_SCHEMA["$defs"]["person"],
    people_file.PartnerFile: ROLE_SCHEMA["$defs"]["partner"],
    calendar_file.CalendarFile: ROLE_SCHEMA["$defs"]["calendar"],
    people_file.HolidaysFile: ROLE_SCHEMA["$defs"]["holidays"],
    absence_file.AbsenceFile: keys_of("absences"),
    absence_file.SwapFile: keys_of("swaps"),
    rota_file.WeekFile: ROLE_SCHEMA["$defs"]["week"],
    rota_file.WeeksFile: keys_of("rota"),
}


def words_in(form: Schema) -> set[str]:
    """The words that a form's enumerations allow."""
    return {word for part in (form, *form.get("anyOf", ())) for word in part.get("enum", ())}


@pytest.mark.parametrize(
    "model", [*Lines.__subclasses__(), people_file.PartnerFile], ids=lambda model: model.__name__
)
def test_the_schema_has_the_keys_and_words_of_loading(model: type[Lines]) -> None:
    """A key, a needed key or a word that loading knows is in the schema, and the other way round."""
    schema = SAME[model]
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    assert set(schema["properties"]) == set(fields)
    assert set(schema.get("required", ())) == {name for name, field in fields.items() if field.is_required()}
    assert schema["additionalProperties"] is False
    for name, field in fields.items():
        if isinstance(field.annotation, type(role_file.Note)):
            assert words_in(schema["properties"][name]) == set(get_args(field.annotation)), name


def described(schema: Any) -> Iterator[tuple[str, Schema]]:
    """Every key of a schema at any depth."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {}).items()
        for part in schema.values():
            yield from described(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from described(part)


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_described_with_examples(kind: str) -> None:
    """The schema is a valid one, and each key says in a sentence what it is for and how it is written."""
    jsonschema.Draft202012Validator.check_schema(schema_of(kind))
    for name, key in described(schema_of(kind)):
        assert key["description"].endswith("."), name
        assert key["examples"] or name == "listen", name


def with_key(name: str, value: Any) -> str:
    """The small role file with this key in place of its own."""
    others = [part for part in ROLE.split("\n") if not part.startswith(f"{name}:")]
    if name in ("partners", "rota"):
        others = ROLE[: ROLE.index(f"{name}:")].split("\n") + (
            ROLE[ROLE.index("rota:") :].split("\n") if name == "partners" else []
        )
    return "\n".join([*others, f"{name}: {flow(value)}", ""])


EXAMPLES = [
    (kind, name, example)
    for kind in KINDS
    for name, key in schema_of(kind)["properties"].items()
    for example in key["examples"]
]


@pytest.mark.parametrize(("kind", "name", "example"), EXAMPLES, ids=str)
def test_every_example_is_right(folder: MakeFolder, kind: str, name: str, example: Any) -> None:
    """What the reference shows may be copied into a file: loading and the schema both take it."""
    text = with_key(name, example) if kind == "role" else f"{name}: {flow(example)}\n"
    made = folder("", vp_hr=text) if kind == "role" else folder(text, vp_hr=ROLE)
    config.load(made, fqdn=lambda: "mx.example.test")
    assert not list(CHECK[kind].iter_errors(read(text)))


@pytest.mark.parametrize("kind", KINDS)
def test_every_default_is_what_holds_without_the_key(folder: MakeFolder, kind: str) -> None:
    """A file with all defaults written out means the same as one without them."""
    keys = schema_of(kind)["properties"]
    written = "".join(f"{name}: {flow(key['default'])}\n" for name, key in keys.items() if "default" in key)
    assert written

    def loaded(text: str) -> object:
        made = folder("" if kind == "role" else text, vp_hr=ROLE + (text if kind == "role" else ""))
        found = config.load(made, fqdn=lambda: "mx.example.test")
        return found.roles if kind == "role" else found.settings

    assert loaded(written) == loaded("")


@pytest.mark.parametrize(("kind", "name"), [("settings", "mailrouter.yaml"), ("role", "roles/vp-hr.yaml")])
def test_the_example_passes_and_names_its_schema(kind: str, name: str) -> None:
    """The shipped files are right by their schema, and name it where an editor looks for it."""
    text = (ROOT / "config" / name).read_text()
    CHECK[kind].validate(read(text))
    (line,) = [line for line in text.splitlines() if line.startswith("# yaml-language-server: $schema=")]
    named = (ROOT / "config" / name).parent / line.partition("=")[2]
    assert named.resolve() == ROOT / "config" / "schema" / file_name(kind)


RIGHT = [
    "rota: {Mon: laurie, TUESDAY: [laurie 9:00-13:00, both], wed: nobody, thu: , fri: []}",
    "rota: {starting: 2026-01-05, weeks: [{Mon: laurie}, {monday: elaine 22:00 – 06:00}]}",
    "aliases: hr@example.test",
    "aliases: [hr@bücher.test]",
    "absences:",
    "swaps: ~",
    "hours: 22:00-24:00",
    "absences: [{partner: elaine, from: 2026-12-21 13:00, until: 2026-12-22T09:30, note: 12}]",
    "absences: [{partner: elaine, from: 2026-12-21, until: 2026-12-22, cover: {name: Jo, email: jo@x.test}}]",
    "emergency: {name: on, phone: 16505550100}",
    "emergency: {name: HR, phone: +1 650 555 0100 ext. 5, tell: everyone}",
    "holidays: none",
    "holidays: {country: NO, also: [2026-12-24], never: 2026-05-17}",
    "auto_reply: absence",
    "absences: [{partner: elaine, date: 2026-12-21, hours: 13:00-17:00}]",
    "absences: [{partner: elaine, from: 2026-12-21, until: further notice, cover: laurie}]",
    "absences: [{partner: elaine, from: 2026-12-21 12:00, until: Until Further Notice}]",
    "absences: [{partner: elaine, every: first friday}, {partner: elaine, every: 2nd Monday of the month}]",
    "absences: [{partner: elaine, every: other friday, from: 2026-12-04, until: 2027-12-31, hours: 09:00-11:00}]",
    "absences: [{partner: elaine, every: every monday and thursday}, {partner: elaine, every: day, hours: 9:00-9:30}]",
    "swaps: [{date: 2026-12-03, partner: laurie, hours: 13:00-17:00, for: 2026-12-08 9:00 - 13:00}]",
    "special_days: {2026-12-24: nobody, 2026-12-28 until 2026-12-31: [laurie 09:00-12:00, elaine], 2027-01-04: both}",
    "special_days:",
    "lunch: 12:30-13:00",
    "from: 2026-01-05",
    "until: 2036-12-31",
    "holidays: {country: US, also: {2026-12-24: , 2026-12-31: a day off}}",
    "partners: {laurie: {name: Laurie, email: l@x.test, time_zone: Europe/Berlin}, elaine: {name: E, email: e@x.test, "
    "until: 2026-06-30}, dana: {name: D, email: d@x.test, from: 2026-07-01, follows: elaine}}",
    "copy: hidden",
    "handoff: never",
    "note:",
]


@pytest.mark.parametrize("added", RIGHT)
def test_every_way_of_writing_passes(folder: MakeFolder, added: str) -> None:
    """What loading takes, the schema takes, as an editor reads it: no false alarms."""
    text = with_key(added.partition(":")[0], "x").rpartition("\n")[0].rpartition("\n")[0] + f"\n{added}\n"
    config.load(folder("", vp_hr=text), fqdn=lambda: "mx.example.test")
    CHECK["role"].validate(read(text))


WRONG = [
    "absences: [{partner: elaine}]",
    "absences: [{partner: elaine, from: 2026-12-21}]",
    "absences: [{partner: elaine, date: 21.12.2026}]",
    "absences: [{partner: elaine, from: 2026-12-21, until: soon}]",
    "absences: [{partner: elaine, date: 2026-12-21, hours: 1pm-5pm}]",
    "absences: [{partner: elaine, every: 2026-12-21}]",
    "swaps: [{date: 2026-12-03, partner: laurie, for: 2026-12-08 morning}]",
    "special_days: {24 December: nobody}",
    "special_days: {2026-12-24: laurie morning}",
    "special_days: [{2026-12-24: nobody}]",
    "lunch: noon",
    "from: January",
    "until: [2026-12-31]",
    "partners: {laurie: {name: Laurie, email: l@x.test, from: now}}",
    "partners: {laurie: {name: Laurie, email: l@x.test, time_zone: Berlin}}",
    "partners: {laurie: {name: Laurie, email: l@x.test, follows: [elaine]}}",
]


@pytest.mark.parametrize("added", WRONG)
def test_what_loading_refuses_an_editor_marks(folder: MakeFolder, added: str) -> None:
    """The newer keys, wrong: neither loading nor the schema takes them."""
    text = with_key(added.partition(":")[0], "x").rpartition("\n")[0].rpartition("\n")[0] + f"\n{added}\n"
    with pytest.raises(ConfigurationError):
        config.load(folder("", vp_hr=text), fqdn=lambda: "mx.example.test")
    assert not CHECK["role"].is_valid(read(text))


def broken_texts() -> Iterator[tuple[str, str]]:
    """Every broken file that the tests have, by kind."""
    yield from (("role", ROLE + added) for added in ADDED_TO_A_ROLE)
    yield from (("role", ROLE.replace(*pair) if pair[0] else pair[1]) for pair in REPLACED_IN_A_ROLE)
    yield from (("settings", text) for text in SETTINGS)
    for name in CASES:
        text = (GOLDEN / f"{name}.yaml").read_bytes().decode("utf-8", "replace")
        yield name.partition("-")[0], text


def test_a_good_share_of_broken_files_fails() -> None:
    """An editor marks three broken files in four; the rest needs to know names, calendars or other files."""
    caught = 0
    texts = list(broken_texts())
    for kind, text in texts:
        try:
            caught += not CHECK[kind].is_valid(read(text))
        except (yaml.YAMLError, UnicodeDecodeError):
            caught += 1  # the editor marks it, too
    assert len(texts) > 150
    assert caught / len(texts) > 0.75, f"{caught} of {len(texts)}"


def test_the_committed_schemas_are_up_to_date() -> None:
    """`mailrouter schema --output config/schema` would change nothing."""
    found = {path.name: path.read_text() for path in (ROOT / "config" / "schema").iterdir()}
    assert found == texts()


def test_the_committed_reference_is_up_to_date() -> None:
    """`mailrouter schema --markdown > docs/config.md` would change nothing."""
    assert (ROOT / "docs" / "config.md").read_text() == reference(SETTINGS_SCHEMA, ROLE_SCHEMA)
