"""What is built carries all that mailrouter needs, and nothing that is somebody's own."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

from mailrouter import __version__
from tests.packaging.installed import ROOT, build

EXAMPLES = ("config/mailrouter.yaml", "config/roles/vp-hr.yaml")
FOLDERS = ("templates", "config/schema")
PRIVATE = ("config/roles/our-own.yaml", "config/roles/vp-hr.yaml~", "var/mail/new/1")


def carried() -> dict[str, bytes]:
    """The files outside the package that it needs at work, by their paths in the checkout."""
    found = [ROOT / name for name in EXAMPLES]
    found += [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(ROOT)): path.read_bytes() for path in found}


def in_wheel(folder: Path) -> dict[str, bytes]:
    """The wheel's files by name."""
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist()}


@pytest.fixture
def unpacked(built: Path, tmp_path: Path) -> Path:
    """The sdist, unpacked: all that somebody without the repository has."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        sdist.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    return source


def test_the_wheel_carries_templates_examples_and_schemas(built: Path) -> None:
    """Each lies in mailrouter/_shipped, byte for byte as in the checkout, and nothing else does."""
    shipped = {
        name.removeprefix("mailrouter/_shipped/"): data
        for name, data in in_wheel(built).items()
        if name.startswith("mailrouter/_shipped/")
    }
    assert shipped == carried()


def test_the_wheel_carries_the_package_and_its_papers_alone(built: Path) -> None:
    """Every module of the package is there; tests, benchmarks and documents are not."""
    names = in_wheel(built)
    package = {str(path.relative_to(ROOT)) for path in (ROOT / "mailrouter").rglob("*.py")}
    assert package <= names.keys()
    assert {name.split("/")[0] for name in names} == {"mailrouter", f"mailrouter-{__version__}.dist-info"}
    assert f"mailrouter-{__version__}.dist-info/licenses/LICENSE" in names


def test_the_sdist_builds_the_same_wheel(built: Path, unpacked: Path, tmp_path: Path) -> None:
    """From the sdist, with no repository around, comes the wheel that the checkout gives, byte for byte."""
    build(unpacked, tmp_path / "again", "wheel")
    assert in_wheel(tmp_path / "again") == in_wheel(built)


def test_the_sdist_has_what_it_takes_to_test_and_to_make_the_image(unpacked: Path) -> None:
    """Tests, Makefile, Dockerfile and what they read are in it."""
    wanted = ["Makefile", "Dockerfile", ".dockerignore", "docker-compose.yml", "container/mailrouter.yaml"]
    wanted += ["requirements/image.txt", "requirements/build.txt", "requirements/development.txt"]
    wanted += ["tests/packaging/test_packaging_wheel.py", "docs/config.md", "CHANGELOG.md", *carried()]
    assert [name for name in wanted if not (unpacked / name).is_file()] == []


def test_what_is_somebodys_own_is_never_packed(unpacked: Path, tmp_path: Path) -> None:
    """A role that was written beside the example, and mail that was tried, stay on their machine."""
    for name in PRIVATE:
        path = unpacked / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Laurie's telephone number")
    build(unpacked, tmp_path / "theirs", "sdist", "wheel")
    with tarfile.open(next((tmp_path / "theirs").glob("*.tar.gz"))) as sdist:
        packed = [*sdist.getnames(), *in_wheel(tmp_path / "theirs")]
    assert [name for name in packed if any(name.endswith(private) for private in PRIVATE)] == []
