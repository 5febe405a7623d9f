"""The wheel and the sdist, built once for all tests here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.installed import ROOT, Installed, build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist of the checkout."""
    folder = tmp_path_factory.mktemp("built")
    build(ROOT, folder, "sdist", "wheel")
    return folder


@pytest.fixture(scope="session")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, installed outside the checkout."""
    return Installed(tmp_path_factory.mktemp("elsewhere") / "env", next(built.glob("*.whl")))
