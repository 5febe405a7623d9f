"""A copy as a difference to the original, made from its pieces: what is a range of the original was not touched. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mailrouter.message.pieces import Pieces, Slice

_LONG = 12
"""Untouched lines in a row that are shown whole; of more, the first and the last few."""
_ENDS = 3


def changes(original: bytes, pieces: Pieces, blobs: Mapping[int, bytes]) -> list[str]:
    """The difference between a mail and its copy, as marked lines.

    ``+`` is what the copy has more, ``-`` what it lacks, a space what stayed.
    """
    return list(_lines(original, pieces, blobs))


def _lines(original: bytes, pieces: Pieces, blobs: Mapping[int, bytes]) -> Iterator[str]:
    kept = [piece for piece in pieces if isinstance(piece, Slice) and piece.blob == 0]
    at = 0
    for piece in pieces:
        if isinstance(piece, bytes):
            yield from _marked("+", piece)
        elif piece.blob:
            yield from _marked("+", blobs.get(piece.blob, b"")[piece.start : piece.end])
        else:
            if piece.start > at:
                # A range that comes later in the copy was moved, not left out.
                moved = any(
                    other.start < piece.start and other.end > at for other in kept if other is not piece
                )
                if not moved:
                    yield from _marked("-", original[at : piece.start])
            yield from _folded(_marked(" ", original[piece.start : piece.end]))
            at = max(at, piece.end)
    if kept and at < len(original):
        yield from _marked("-", original[at:])


def _marked(mark: str, data: bytes) -> Iterator[str]:
    text = data.decode("utf-8", "replace")
    for line in text.removesuffix("\r\n").split("\r\n"):
        yield mark + "".join(c if c.isprintable() or c == "\t" else "�" for c in line)


def _folded(lines: Iterator[str]) -> Iterator[str]:
    every = list(lines)
    if len(every) <= _LONG:
        yield from every
        return
    yield from every[:_ENDS]
    yield f"  … {len(every) - 2 * _ENDS} lines as they came …"
    yield from every[-_ENDS:]
