"""Whole files as people break them, and what ``check`` shows of each at 80 columns.

``tests/config/golden/NAME.yaml`` is the broken file, ``NAME.txt`` what is shown. After a change of words,
``python -m tests.config.golden_files`` writes the texts anew: read each before it is kept.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mailrouter import config
from mailrouter.cli.setup.check import render
from mailrouter.errors import ConfigurationError
from tests.config.files import ROLE

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.stem for path in GOLDEN.glob("*.yaml"))


def shown(name: str) -> str:
    """What is shown of the file where it stands in ``config/``, beside a file that is right."""
    data = (GOLDEN / f"{name}.yaml").read_bytes()
    is_role = name.startswith("role-")
    with _folder() as folder:
        (folder / "roles" / "vp-hr.yaml").write_bytes(data if is_role else ROLE.encode())
        (folder / "mailrouter.yaml").write_bytes(b"" if is_role else data)
        try:
            config.load(folder, fqdn=lambda: "mx.example.test")
        except ConfigurationError as error:
            return render(error.problems, 80) + "\n"
    return "no problems\n"


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as above, contextlib.chdir(above):
        (Path("config") / "roles").mkdir(parents=True)
        yield Path("config")


if __name__ == "__main__":
    for case in CASES:
        (GOLDEN / f"{case}.txt").write_text(shown(case))
