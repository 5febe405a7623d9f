"""The YAML reader: places, bounds, both parsers, and what no text may do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailrouter import config
from mailrouter.config.yaml.reader import MAX_VALUES, read
from mailrouter.config.yaml.tree import Entry, Items, Mapping, Text, plain
from mailrouter.errors import ConfigurationError, Problem
from mailrouter.schedule.model import Role
from tests.config.files import ROLE
from tests.support.examples import examples

PARSERS = [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)]
EXAMPLE = Path(__file__).parents[2] / "config"


@pytest.mark.parametrize("parser", PARSERS)
def test_every_value_keeps_its_text_and_place(parser: object) -> None:
    """Keys and values know line and column, counted from 0; a mark at the file's start doesn't shift them."""
    found = read("f", b"\xef\xbb\xbfa: NO\nb: ['010', ~]\n", parser)
    items = Items((Text("010", 1, 4, quoted=True), Text(None, 1, 11)), 1, 3, size=3)
    expected = {"a": Entry("a", Text("NO", 0, 3), 0, 0), "b": Entry("b", items, 1, 0)}
    assert found.root == Mapping(expected, 0, 0, size=7, depth=2)
    assert found.problems == ()


@pytest.mark.parametrize("file", ["mailrouter.yaml", "roles/vp-hr.yaml"])
def test_both_parsers_read_the_example_alike(file: str) -> None:
    """Without libyaml the same tree comes out, only later."""
    data = (EXAMPLE / file).read_bytes()
    first, second = (read(file, data, parser) for parser in PARSERS)
    assert first == second
    assert first.problems == ()


BOMBS = {
    "laughs": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(
        f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "chain": "a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}]\n" for n in range(5000)),
    "deep": "[" * 900_000,
    "deep mappings": "{a: " * 200_000,
    "deep hyphens": "- " * 400_000,
    "wide": "[" + "a," * 450_000 + "]",
    "itself": "a: &a [*a]",
    "large": "a: " + "x" * 1_000_000,
}


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_a_problem_with_a_place(bomb: str, parser: object) -> None:
    """Aliases, depth and size are bounded: a small file can't become a large one."""
    found = read("f", BOMBS[bomb].encode(), parser)
    assert len(found.problems) == 1
    assert found.problems[0].line >= 1
    assert found.root is None or found.root.size <= MAX_VALUES


def test_an_alias_within_bounds_is_fine() -> None:
    """What has been written once may be named elsewhere."""
    found = read("f", b"a: &w [x]\nb: *w\n")
    assert found.root is not None
    assert (plain(found.root), found.problems) == ({"a": ["x"], "b": ["x"]}, ())


LINES = st.sampled_from(ROLE.splitlines() + (EXAMPLE / "roles/vp-hr.yaml").read_text().splitlines())
MARKS = "[]{}:,-?*&!|>'%@`#~\t\x00\u2028“é𝄞\\\""
PIECES = st.sampled_from([*MARKS, "24:00", "*a", "&a", "!!int", "<<:", "---", "..."])
TEXTS = st.one_of(st.text(), st.lists(st.one_of(LINES, PIECES, st.just("\n"))).map("\n".join))
EDITS = st.tuples(st.integers(0, 1500), st.integers(0, 12), st.one_of(PIECES, st.text(max_size=5)))


def check_only_configuration_errors(folder: Path, settings_text: bytes, role: bytes) -> None:
    (folder / "roles").mkdir(exist_ok=True)
    (folder / "mailrouter.yaml").write_bytes(settings_text)
    (folder / "roles/vp-hr.yaml").write_bytes(role)
    problems: tuple[Problem, ...] = ()
    roles: tuple[Role, ...] = ()
    try:
        roles = config.load(folder, fqdn=lambda: "mx.example.test").roles
    except ConfigurationError as found:
        problems = found.problems
    assert bool(roles) != bool(problems)
    for problem in problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert "\n" not in str(problem)


FUZZ = settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(
    settings_text=st.one_of(TEXTS.map(str.encode), st.binary()),
    role=st.one_of(TEXTS.map(str.encode), st.binary()),
)
def test_no_text_is_a_traceback(tmp_path: Path, settings_text: bytes, role: bytes) -> None:
    """Whatever is in the files, loading gives a configuration or problems with places."""
    check_only_configuration_errors(tmp_path, settings_text, role)


def without_comments(path: Path) -> str:
    """The file without comment lines and without the holidays, whose library takes its time."""
    lines = path.read_text().splitlines()
    return "".join(line + "\n" for line in lines if not line.startswith(("#", "holidays")))


@FUZZ
@given(edits=st.lists(EDITS, min_size=1, max_size=4))
def test_no_slip_of_the_finger_is_a_traceback(tmp_path: Path, edits: list[tuple[int, int, str]]) -> None:
    """A good file with a few characters changed gives a configuration or problems with places."""
    role, own = (without_comments(EXAMPLE / name) for name in ("roles/vp-hr.yaml", "mailrouter.yaml"))
    for at, length, instead in edits:
        role = role[: at % len(role)] + instead + role[at % len(role) + length :]
        own = own[: at % len(own)] + instead + own[at % len(own) + length :]
    check_only_configuration_errors(tmp_path, own.encode(), role.encode("utf-8", "replace"))


LEAVES = st.one_of(
    st.none(), st.sampled_from(["laurie", "2026-12-03", "09:00-17:00", "a@b.test", "never", "", "x"])
)
WORDS = (
    "role aliases name time_zone partners laurie email hours rota monday Mon weeks starting holidays country "
    "also never absences partner from until cover swaps date for emergency tell handoff attach copy inside "
    "listen smtp deliver"
)
KEYS = st.sampled_from(WORDS.split())
SHAPES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@FUZZ
@given(shape=st.dictionaries(KEYS, SHAPES, max_size=8))
def test_no_shape_is_a_traceback(tmp_path: Path, shape: dict[str, object]) -> None:
    """Lists where names belong, mappings where text belongs: problems with places, too."""
    data = yaml.safe_dump(shape, allow_unicode=True).encode()
    check_only_configuration_errors(tmp_path, data, data)


def test_importing_is_light() -> None:
    """A command that loads nothing pays for neither pydantic nor PyYAML."""
    said = "import sys, mailrouter.config; print({'pydantic', 'yaml', 'holidays'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", said], capture_output=True, text=True, check=True, cwd=EXAMPLE.parent
    )
    assert done.stdout.strip() == "set()"
