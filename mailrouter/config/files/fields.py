"""The ground that the models of both files stand on: text in, facts out, nothing converted behind one's back.

Every leaf is read by a function of ours that takes the text as typed and raises ``Wrong``; pydantic goes
through the whole file, collects what they raise, and knows where in the tree each belongs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator, ValidationInfo, model_validator
from pydantic.fields import FieldInfo

from mailrouter.config.values.errors import Wrong, choice, did_you_mean, shown
from mailrouter.config.values.forms import Schema
from mailrouter.config.yaml.slips import quoted
from mailrouter.config.yaml.tree import Mapping as MappingNode
from mailrouter.config.yaml.tree import Placed, Text, is_empty

T = TypeVar("T")
MOST_PROBLEMS = 50
"""Problems of one file that are told: whoever mends these may well have mended the others."""
NOT_YET = "not available in this version"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A key that isn't known in ``node``: what is wrong, what to do, and the known key meant, or ``""``."""

    node: MappingNode
    key: str
    what: str
    hint: str
    meant: str = ""


@dataclass(slots=True)
class Reading:
    """Context that the reader of a value may need, with unknown keys.

    ``partners`` gives the partners' keys by their case-folded form, None where they can't be known. ``further`` counts
    unknown keys beyond those that are told.
    """

    dotless: frozenset[str] = frozenset()
    partners: Mapping[str, str] | None = None
    unknown: list[Unknown] = field(default_factory=list)
    further: int = 0


@dataclass(frozen=True, slots=True)
class About:
    """A key's description, for the reference and for editors; stands beside the key's type, in ``Annotated``.

    ``says`` is a sentence on what the key is for. ``form`` is its JSON Schema where the type does not give it: words
    and lines do. A value of ``word`` may stand for the whole of lines. ``default`` is the default as one would type it,
    ``otherwise`` the same in words where it can't be typed. ``written`` makes the value of what was read; without it
    that is what was read.
    """

    says: str
    examples: tuple[Any, ...]
    form: Schema | None = None
    word: Any = None
    default: Any = None
    otherwise: str = ""
    written: Callable[[Any], Any] | None = None


def about(says: str, *examples: Any, **more: Any) -> About:
    """``About``, the examples one after the other."""
    return About(says, examples, **more)


class Lines(BaseModel):
    """``key: value`` lines. ``elsewhere`` says of unknown keys (lower case) what is wrong and what to do.

    ``synonyms`` are words that people use for a key, in lower case, with the key. ``texts`` are keys of words of
    people's own, in which a comma needs quotes.
    """

    demands: ClassVar[Schema] = {}
    """What the JSON Schema of the lines says besides their keys."""
    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, extra="ignore")
    elsewhere: ClassVar[Mapping[str, tuple[str, str]]] = MappingProxyType({})
    synonyms: ClassVar[Mapping[str, str]] = MappingProxyType({})
    texts: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def described(cls) -> dict[str, tuple[FieldInfo, About | None]]:
        """Each key as typed, with its field and its description."""
        return {
            field.alias or name: (field, next((m for m in field.metadata if isinstance(m, About)), None))
            for name, field in cls.model_fields.items()
        }

    @model_validator(mode="before")
    @classmethod
    def _note_unknown_keys(cls, data: Any, info: ValidationInfo[Reading]) -> Any:
        if isinstance(data, Placed):
            known = [field.alias or name for name, field in cls.model_fields.items()]
            told = info.context.unknown
            said = ""  # the text that the keys before this one continue, if they are the pieces of one
            first = False
            for key, entry in data.node.entries.items():
                if key in known:
                    said, first = key if key in cls.texts else "", True
                elif len(told) >= MOST_PROBLEMS:
                    info.context.further += 1
                elif said and is_empty(entry.value) and not did_you_mean(key, known):
                    told += cls._torn(data.node, said, key) if first else []
                    first = False
                else:
                    said = ""
                    told.append(cls._unknown(data.node, key, known))
        return data

    @classmethod
    def _torn(cls, node: MappingNode, name: str, key: str) -> list[Unknown]:
        """The problem of a text that YAML has torn at its comma.

        ``{note: skiing, with the kids}`` is read as a note and a key; the problem is told once for all pieces.
        """
        keys = list(node.entries)
        pieces = list(takewhile(lambda k: is_empty(node.entries[k].value), keys[keys.index(name) + 1 :]))
        first = node.entries[name].value
        if key != pieces[0] or not isinstance(first, Text) or not first.value:
            return []
        hint = f"put quotes around it: {name}: {shown(quoted(', '.join((first.value, *pieces))), 60)}"
        return [Unknown(node, key, f"a comma in the {name}", hint)]

    @classmethod
    def _unknown(cls, node: MappingNode, key: str, known: list[str]) -> Unknown:
        head, colon, rest = key.partition(":")
        if colon and head in known:
            hint = f"write {head}: {shown(rest, 60)}"
            return Unknown(node, key, f"a space is missing after `{head}:`", hint, head)
        if told := cls.elsewhere.get(key.lower()):
            return Unknown(node, key, *told)
        if word := cls.synonyms.get(key.lower().replace(" ", "_")):
            return Unknown(node, key, f"`{shown(key)}` is not known here", f"it is called `{word}`", word)
        hint = did_you_mean(key, known)
        meant = next((name for name in known if hint and f"`{name}`" in hint), "")
        hint = hint or f"known are {', '.join(known)}"
        return Unknown(node, key, f"`{shown(key)}` is not known here", hint, meant)


def text_of(value: Any) -> str:
    """``value`` if it is text. Raises Wrong."""
    if isinstance(value, str):
        return value
    if value is None:
        raise Wrong("a value is missing here")
    kind = "a list" if isinstance(value, list) else "`name: value` lines"
    raise Wrong(f"one value belongs here, not {kind}")


def reads(parse: Callable[[str], T]) -> PlainValidator:
    """A field that ``parse`` makes of the text as typed."""
    return PlainValidator(lambda value: parse(text_of(value)))


def reads_with(parse: Callable[[str, ValidationInfo[Reading]], T]) -> PlainValidator:
    """A field parsed from its text and what is known so far."""

    def validate(value: Any, info: ValidationInfo[Reading]) -> T:
        return parse(text_of(value), info)

    return PlainValidator(validate)


def one_of(literal: Any, *, not_yet: str = "") -> PlainValidator:
    """One of the words of a ``Literal``; ``not_yet`` will mean something in a later version."""
    words = get_args(literal)

    def parse(text: str) -> str:
        if text == not_yet:
            raise Wrong(f"`{text}` is {NOT_YET}", f"use {choice(words)}")
        if text in words:
            return text
        meant = did_you_mean(text, words)
        if "never" in words and text.lower() in ("no", "off", "false"):
            meant = "did you mean `never`?"
        said = f"it is one of {choice(words)}"
        raise Wrong(f"`{shown(text)}` is not known here", f"{meant} {said}" if meant else said)

    return reads(parse)


def one_word_for(*keys: str) -> BeforeValidator:
    """A mapping that may be a single word, meant for all ``keys``."""
    return BeforeValidator(lambda value: dict.fromkeys(keys, value) if isinstance(value, str) else value)


def listed(value: Any) -> Any:
    """A value alone, where a list is meant."""
    return [value] if isinstance(value, str) else value


def line_of_text(text: str, limit: int = 100) -> str:
    """Words on one line: they go into header fields and notes. Raises Wrong."""
    if not text.strip():
        raise Wrong("a text is missing here")
    if len(text) > limit:
        raise Wrong(f"the text is longer than {limit} characters", "shorten it")
    if any(c in text for c in "\r\n\t"):
        raise Wrong("the text has to fit on one line", "remove the line break or tab")
    return text.strip()
