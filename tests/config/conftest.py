"""Folders with a configuration, made for one test."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailrouter import config
from mailrouter.errors import ConfigurationError, Problem
from tests.config.files import ROLE, MakeFolder, ProblemsOf


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeFolder:
    """Writes ``mailrouter.yaml`` and roles (text or bytes) into ``config/`` in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def make(settings: str | bytes | None = "", **roles: str | bytes) -> Path:
        made = Path("config")
        (made / "roles").mkdir(parents=True, exist_ok=True)
        if settings is not None:
            (made / "mailrouter.yaml").write_bytes(
                settings if isinstance(settings, bytes) else settings.encode()
            )
        for key, text in roles.items():
            data = text if isinstance(text, bytes) else text.encode()
            (made / "roles" / f"{key.replace('_', '-')}.yaml").write_bytes(data)
        return made

    return make


@pytest.fixture
def problems_of(folder: MakeFolder) -> ProblemsOf:
    """All problems of a configuration that can't be used."""

    def read(settings: str | bytes | None = "", **roles: str | bytes) -> tuple[Problem, ...]:
        with pytest.raises(ConfigurationError) as caught:
            config.load(folder(settings, **(roles or {"vp_hr": ROLE})), fqdn=lambda: "mx.example.test")
        return caught.value.problems

    return read
