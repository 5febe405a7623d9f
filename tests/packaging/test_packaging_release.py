"""``make release``: it sets, commits and tags, or refuses in words and changes nothing."""

from __future__ import annotations

import importlib.util
import subprocess
from datetime import date
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "release.py"
_spec = importlib.util.spec_from_file_location("release_tool", TOOL)
assert _spec is not None
assert _spec.loader is not None
tool = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tool)

TODAY = date(2026, 11, 28)


def git(project: Path, *words: str) -> str:
    """What git says."""
    who = ("-c", "user.name=x", "-c", "user.email=x@example.test")
    return subprocess.run(
        ["git", *who, *words], cwd=project, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a version and a changelog."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "x")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "x@example.test")
    (tmp_path / "mailrouter").mkdir()
    (tmp_path / "mailrouter" / "__init__.py").write_text('"""x"""\n\n__version__ = "0.1.0"\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 0.2.0 (2026-11-28)\n\n## 0.1.0 (2026-11-25)\n")
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "--quiet", "-m", "begin")
    return tmp_path


def test_a_release_is_set_committed_and_tagged(project: Path) -> None:
    """It says how to push, and pushes nothing."""
    said = tool.release(project, "0.2.0", TODAY)
    assert '__version__ = "0.2.0"' in (project / "mailrouter" / "__init__.py").read_text()
    assert git(project, "status", "--porcelain") == ""
    assert git(project, "rev-parse", "v0.2.0^{commit}") == git(project, "rev-parse", "HEAD")
    assert git(project, "log", "-1", "--format=%s") == "release 0.2.0"
    assert "git push origin main v0.2.0" in said


@pytest.mark.parametrize(
    ("version", "changelog", "why"),
    [
        ("0.2", None, "three numbers"),
        ("v0.2.0", None, "three numbers"),
        ("0.3.0", None, "is not about 0.3.0"),
        ("0.2.0", "## 0.2.0 (unreleased)\n", "where a date belongs"),
        ("0.2.0", "## 0.2.0 (2026-12-24)\n", "is to come"),
        ("0.2.0", "dirty", "not committed"),
        ("0.2.0", "tagged", "already"),
    ],
)
def test_what_is_not_ready_is_refused(project: Path, version: str, changelog: str | None, why: str) -> None:
    """With what to do; version and tags stay as they are."""
    if changelog == "dirty":
        (project / "more").write_text("x")
    elif changelog == "tagged":
        git(project, "tag", "v0.2.0")
    elif changelog:
        (project / "CHANGELOG.md").write_text(changelog)
        git(project, "commit", "--quiet", "-am", "changes")
    before = git(project, "rev-parse", "HEAD"), git(project, "tag")
    with pytest.raises(tool.Refused, match=why):
        tool.release(project, version, TODAY)
    assert (git(project, "rev-parse", "HEAD"), git(project, "tag")) == before
