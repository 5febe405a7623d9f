"""The pages in ``docs/``, read so that tests use the very lines that people read."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"

_MARKED = re.compile(
    r"^( *)<!-- tested: ([a-z-]+) -->\n\1```[a-z]*\n(.*?)^\1```$(.*?)(?=^ *<!-- tested|^#|\Z)",
    re.MULTILINE | re.DOTALL,
)
_FENCED = re.compile(r"^ *```(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def marked(page: str) -> dict[str, str]:
    """The fenced blocks of a page that a comment ``<!-- tested: NAME -->`` stands over, by name."""
    return {name: block for name, (block, _) in _found(page).items()}


def said_after(page: str) -> dict[str, str]:
    """What stands between each marked block and the next one or the next heading, by the block's name."""
    return {name: words for name, (_, words) in _found(page).items()}


def unmarked(page: str) -> list[str]:
    """The fenced blocks, language first, that no such comment stands over."""
    return _FENCED.findall(_MARKED.sub("", text(page)))


def text(page: str) -> str:
    """A page as it stands."""
    return (DOCS / page).read_text("utf-8")


def _found(page: str) -> dict[str, tuple[str, str]]:
    found = _MARKED.findall(text(page))
    blocks = {name: (textwrap.dedent(block), words) for _, name, block, words in found}
    assert len(blocks) == len(found) == text(page).count("<!-- tested: "), (
        f"{page}: a name twice, or a lost block"
    )
    return blocks
