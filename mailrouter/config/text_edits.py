"""Editing single entries of a role's file as text.

Nothing else of the text is touched: comments, order, quotes and line ends stay as they were typed, byte for byte.
(A round trip through a YAML library keeps comments as well, but moves them, folds lines and rewrites what it does not
need to.) Places come from the parser's marks; a form that is not written here as people write it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from mailrouter.config.to_yaml import Written, absence_end, absence_written, flow, scalar, swap_written
from mailrouter.config.yaml.reader import Loader
from mailrouter.errors import MailrouterError
from mailrouter.schedule.changes.edits import (
    AddAbsence,
    AddSwap,
    DropAbsence,
    DropSwap,
    Edit,
    EndAbsence,
    changed,
)
from mailrouter.schedule.model import Absence, Role, Swap

_BREAK = re.compile("\r\n|\r|\n")
_BOM = "\ufeff"


class CannotEdit(MailrouterError):
    """A form of writing in which no single entry can be changed. Nothing was changed."""


def edited(data: bytes, edits: Iterable[Edit], role: Role) -> bytes:
    """The text of a role's file with these edits made; ``role`` is what the text says. Raises CannotEdit.

    Whether the result says what was meant is for the caller to see: by loading it.
    """
    text = data.decode("utf-8")
    bom, text = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    for edit in edits:
        text = _one(text, edit, role)
        role = changed(role, [edit])
    return (bom + text).encode("utf-8")


def _one(text: str, edit: Edit, role: Role) -> str:
    draft = _YamlText(text)
    match edit:
        case AddAbsence(absence):
            draft.add("absences", absence_written(absence))
        case AddSwap(swap):
            draft.add("swaps", swap_written(swap))
        case DropAbsence(absence):
            draft.drop("absences", _place(role.absences, absence, "absences"))
        case DropSwap(swap):
            draft.drop("swaps", _place(role.swaps, swap, "swaps"))
        case EndAbsence(absence):
            at = _place(role.absences, absence, "absences")
            if not draft.put("absences", at, "until", absence_end(edit.ended)):
                # `date:` is one day, of which a part is left.
                draft.rewrite("absences", at, absence_written(edit.ended))
    return draft.text


def _place(among: Sequence[Absence] | Sequence[Swap], one: Absence | Swap, section: str) -> int:
    """The index of an entry in its list, however it is written: the loader keeps the order of the file."""
    for number, known in enumerate(among):
        if known == one:
            return number
    raise CannotEdit(f"The entry isn't found below `{section}`.")


class _YamlText:
    """A text, and the nodes of its root mapping with their places."""

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._root: Any = yaml.compose(text, Loader=Loader)
        except yaml.YAMLError as error:
            raise CannotEdit("The file can't be read as it is.") from error
        if not isinstance(self._root, yaml.MappingNode) or self._root.flow_style:
            raise CannotEdit("The file isn't written as lines of `name: value`.")

    def add(self, section: str, entry: dict[str, Written]) -> None:
        """One more entry at the end of a list; the list itself where there is none."""
        key, value = self._section(section)
        line = f"- {flow(entry)}"
        if key is None:
            self._append(f"{section}:", f"  {line}")
        elif isinstance(value, yaml.SequenceNode) and not value.flow_style and value.value:
            column = value.start_mark.column
            self._insert_below(self._last_line(value), " " * column + line)
        elif isinstance(value, yaml.SequenceNode) and value.flow_style:
            comma = ", " if value.value else ""
            at = self._last_mark(value.value[-1]) if value.value else value.start_mark.index + 1
            self._replace(at, at, comma + flow(entry))
        elif isinstance(value, yaml.ScalarNode) and not value.value and not value.style:
            self._insert_below(key.end_mark.line, " " * (key.start_mark.column + 2) + line)
        else:
            raise CannotEdit(f"`{section}` isn't written as a list of lines.")

    def drop(self, section: str, number: int) -> None:
        """Take an entry out, with the line it stands on."""
        item = self._items(section, number)[number]
        _, value = self._section(section)
        if not value.flow_style:
            self._drop_lines(_dash_line(value, item, self.text), self._last_line(item))
            return
        items = value.value
        if len(items) == 1:
            start, end = item.start_mark.index, item.end_mark.index
        elif number:
            start, end = items[number - 1].end_mark.index, item.end_mark.index
        else:
            start, end = item.start_mark.index, items[1].start_mark.index
        self._replace(start, end, "")

    def rewrite(self, section: str, number: int, entry: dict[str, Written]) -> None:
        """Have other words in an entry's place."""
        item = self._items(section, number)[number]
        self._replace(item.start_mark.index, self._last_mark(item), flow(entry))

    def put(self, section: str, number: int, name: str, text: str) -> bool:
        """Replace one value of an entry; False where it has none of this name."""
        for key, node in self._items(section, number)[number].value:
            if key.value == name and isinstance(node, yaml.ScalarNode):
                self._replace(node.start_mark.index, node.end_mark.index, scalar(text))
                return True
        return False

    def _items(self, section: str, number: int) -> Any:
        """The entries of a list, if there are so many. Raises CannotEdit."""
        _, value = self._section(section)
        items = value.value if isinstance(value, yaml.SequenceNode) else []
        if number >= len(items) or not isinstance(items[number], yaml.MappingNode):
            raise CannotEdit(f"`{section}` isn't written as a list of entries.")
        return items

    def _section(self, name: str) -> tuple[Any, Any]:
        for key, value in self._root.value:
            if key.value == name:
                if value.start_mark.index < key.end_mark.index:
                    raise CannotEdit(f"`{name}` refers to another place of the file.")
                return key, value
        return None, None

    def _last_mark(self, node: Any) -> int:
        """The end of a node's own text; a block's end mark stands behind comments and blank lines."""
        if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
            return int(node.end_mark.index)
        inner = node.value[-1]
        for part in inner if isinstance(inner, tuple) else (inner,):
            if part.start_mark.index < node.start_mark.index:
                raise CannotEdit("An entry refers to another place of the file.")
        return self._last_mark(inner[1] if isinstance(inner, tuple) else inner)

    def _last_line(self, node: Any) -> int:
        """The line, counted from 0, on which a node's own text ends."""
        end = self._last_mark(node)
        # The end of a block scalar, or of an empty value, may be the beginning of the line below.
        text = self.text[:end].rstrip("\r\n \t")
        return max(len(_BREAK.findall(text)), int(node.start_mark.line))

    def _lines(self) -> list[str]:
        return self.text.splitlines(keepends=True)

    def _break(self) -> str:
        found = _BREAK.search(self.text)
        return found[0] if found else "\n"

    def _append(self, *lines: str) -> None:
        end = self._break()
        text = self.text if not self.text or self.text.endswith(("\n", "\r")) else self.text + end
        self.text = text + "".join(line + end for line in lines)

    def _insert_below(self, number: int, line: str) -> None:
        lines = self._lines()
        end = self._break()
        if not lines[number].endswith(("\n", "\r")):
            lines[number] += end
        lines.insert(number + 1, line + end)
        self.text = "".join(lines)

    def _drop_lines(self, first: int, last: int) -> None:
        lines = self._lines()
        self.text = "".join(lines[:first] + lines[last + 1 :])

    def _replace(self, start: int, end: int, new: str) -> None:
        self.text = self.text[:start] + new + self.text[end:]


def _dash_line(sequence: Any, item: Any, text: str) -> int:
    """The line of an entry's hyphen, perhaps above the entry itself."""
    lines = text.splitlines()
    column = sequence.start_mark.column
    for number in range(item.start_mark.line, -1, -1):
        if lines[number][column : column + 1] == "-" and not lines[number][:column].strip():
            return int(number)
    raise CannotEdit("An entry's hyphen isn't found.")
