"""The lock files in requirements/: in step with pyproject.toml and each other, hashed, and of no machine."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.installed import ROOT

LOCKS = {path.name: path.read_text() for path in sorted((ROOT / "requirements").glob("*.txt"))}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
NEEDED: list[str] = PROJECT["project"]["dependencies"]
WHY = "`make lock` writes it anew"


def pins(text: str) -> dict[str, str]:
    """Versions by the name of the distribution."""
    return {canonicalize_name(m[1]): m[2] for m in re.finditer(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE)}


def unlocked(wanted: Iterable[str], lock: str) -> list[str]:
    """The requirements that no pin of this lock file meets."""
    found = pins(LOCKS[lock])
    needed = [Requirement(text) for text in wanted if not text.startswith("mailrouter[")]
    return [str(r) for r in needed if not r.specifier.contains(found.get(canonicalize_name(r.name), "0"))]


def test_what_the_project_needs_is_locked() -> None:
    """For development everything that any extra names, for the image the relay with its pages, and what builds it."""
    assert sorted(LOCKS) == ["build.txt", "development.txt", "image.txt"]
    assert (
        unlocked([*NEEDED, *(text for extra in EXTRAS.values() for text in extra)], "development.txt") == []
    ), WHY
    assert unlocked([*NEEDED, *EXTRAS["web"]], "image.txt") == [], WHY
    assert unlocked(PROJECT["build-system"]["requires"], "build.txt") == [], WHY


@pytest.mark.parametrize("lock", ["image.txt", "build.txt"])
def test_the_image_is_made_of_what_was_tested(lock: str) -> None:
    """Its versions are those of development."""
    assert pins(LOCKS[lock]).items() <= pins(LOCKS["development.txt"]).items(), WHY


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_its_hashes_and_no_source(lock: str) -> None:
    """pip takes them from wherever it is set up to; no index, link or path is named."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", LOCKS[lock], flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pins(LOCKS[lock])) > 3
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert re.findall(r"\S*://\S*|^-\S+|(?<!\S)/\S+| @ \S+", LOCKS[lock], re.MULTILINE) == []


def test_the_image_installs_by_the_lock_alone() -> None:
    """No step of the build lets pip choose a version."""
    steps = re.findall(r'"install"|"wheel"', (ROOT / "Dockerfile").read_text())
    bound = re.findall(r'"--require-hashes"|"--no-deps"', (ROOT / "Dockerfile").read_text())
    assert len(steps) == len(bound) == 4
