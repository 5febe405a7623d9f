"""`mailrouter schema`: where the schemas go."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mailrouter.cli import main


@pytest.mark.parametrize(("kind", "title"), [("settings", "mailrouter.yaml"), ("role", "roles/NAME.yaml")])
def test_one_schema_is_printed(kind: str, title: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The kind that is named, as JSON."""
    assert main(["schema", kind]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == title


def test_both_are_written_into_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under the names that the configuration files point to."""
    assert main(["schema", "--output", str(tmp_path / "new")]) == 0
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        "settings.schema.json",
        "role.schema.json",
    }
    (tmp_path / "file").write_text("")
    assert main(["schema", "--output", str(tmp_path / "file/x")]) == 1
    assert "can't be written" in capsys.readouterr().err


def test_without_a_kind_it_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong use, told with the way to use it."""
    assert main(["schema"]) == 2
    assert "settings or role" in capsys.readouterr().err


def test_schemas_are_no_burden_to_other_commands() -> None:
    """Loading a configuration imports no schemas."""
    said = (
        "import sys; from pathlib import Path; from mailrouter import config; config.load(Path('config'));"
        "print([m for m in sys.modules if m.startswith('mailrouter.config.schema')])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
