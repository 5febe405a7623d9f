"""``make release VERSION=x.y.z``: set the version, commit and tag it, once everything says the same.

Nothing is pushed, and nothing is changed where anything is missing: each refusal says what to do.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

VERSION = re.compile(r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)")
SET = re.compile(r'^__version__ = "([^"]*)"$', re.MULTILINE)
FILE = "mailrouter/__init__.py"


class Refused(Exception):
    """Why there is no release, and what to do."""


def git(project: Path, *words: str) -> str:
    """What git says. Raises Refused where it fails."""
    done = subprocess.run(["git", *words], cwd=project, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"git {words[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def check(project: Path, version: str, today: date) -> None:
    """Raises Refused unless ``version`` can be released ``today``, or on the day that the changelog gives."""
    if not VERSION.fullmatch(version):
        raise Refused(f"{version!r} is no version; write three numbers, as in make release VERSION=0.2.0")
    if git(project, "status", "--porcelain"):
        raise Refused("the tree has changes that are not committed; commit them or put them away")
    if git(project, "tag", "--list", f"v{version}"):
        raise Refused(f"there is a tag v{version} already; take the next version")
    changes = (project / "CHANGELOG.md").read_text("utf-8")
    newest = re.search(r"^## (.*)$", changes, re.MULTILINE)
    wanted = f"## {version} ({today:%Y-%m-%d})"
    if newest is None or not newest[1].startswith(f"{version} ("):
        raise Refused(f"the newest section of CHANGELOG.md is not about {version}; begin it with: {wanted}")
    said = newest[1].removeprefix(f"{version} (").removesuffix(")")
    try:
        dated = date.fromisoformat(said)
    except ValueError:
        raise Refused(f"CHANGELOG.md says {said!r} where a date belongs; write: {wanted}") from None
    if dated > today:
        raise Refused(f"CHANGELOG.md dates {version} {said}, which is to come; write: {wanted}")


def release(project: Path, version: str, today: date) -> str:
    """Set, commit and tag; gives what is to be done next. Raises Refused."""
    check(project, version, today)
    file = project / FILE
    text = file.read_text("utf-8")
    if not SET.search(text):
        raise Refused(f"{FILE} has no line with __version__")
    new = SET.sub(f'__version__ = "{version}"', text)
    if new != text:
        file.write_text(new, "utf-8")
        git(project, "commit", "--quiet", "--message", f"release {version}", "--", FILE)
    git(project, "tag", "--annotate", f"v{version}", "--message", f"mailrouter {version}")
    branch = git(project, "rev-parse", "--abbrev-ref", "HEAD")
    return (
        f"mailrouter {version} is committed and tagged v{version}; nothing was pushed. To publish it:\n"
        f"  git push origin {branch} v{version}"
    )


def main(words: list[str]) -> int:
    """``VERSION [DATE]``."""
    try:
        if not words or not words[0]:
            raise Refused("a version is missing, as in make release VERSION=0.2.0")
        today = date.fromisoformat(words[1]) if len(words) > 1 and words[1] else datetime.now(UTC).date()
        print(release(Path(__file__).resolve().parents[1], words[0], today))
    except (Refused, ValueError) as why:
        print(f"No release: {why}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
