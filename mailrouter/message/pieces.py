"""A copy as a list of pieces: new octets, and ranges of what is stored once. Pure.

Stored form, version 1: the octet 1, then each piece: ``b``, its length, a colon and its octets; or ``s``,
then blob, start and end with commas, and a colon. Numbers are decimal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Slice(NamedTuple):
    """Octets ``start`` to ``end`` of a blob: 0 the received message, n > 0 a handoff version's body."""

    blob: int
    start: int
    end: int


Piece = bytes | Slice
Pieces = tuple[Piece, ...]

_VERSION = b"\x01"
_ENTRY = re.compile(rb"b([0-9]{1,18}):|s([0-9]{1,18}),([0-9]{1,18}),([0-9]{1,18}):")


def join(*groups: Iterable[Piece]) -> Pieces:
    """One list of all pieces, in order: empty ones left out, neighbours that continue each other made one."""
    out: list[Piece] = []
    new: list[bytes] = []
    for group in groups:
        for piece in group:
            if isinstance(piece, bytes):
                new.append(piece)
                continue
            if piece.end <= piece.start:
                continue
            if written := b"".join(new):
                out.append(written)
            new = []
            last = out[-1] if out else None
            if isinstance(last, Slice) and last.blob == piece.blob and last.end == piece.start:
                out[-1] = Slice(piece.blob, last.start, piece.end)
            else:
                out.append(piece)
    if written := b"".join(new):
        out.append(written)
    return tuple(out)


def length(pieces: Iterable[Piece]) -> int:
    """Octets of the whole."""
    return sum(len(piece) if isinstance(piece, bytes) else piece.end - piece.start for piece in pieces)


def render(pieces: Iterable[Piece], blobs: Mapping[int, bytes]) -> bytes:
    """The whole as octets. Raises KeyError where a blob is not there, ValueError where it is too short."""
    out: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            out.append(piece)
            continue
        blob = blobs[piece.blob]
        if not 0 <= piece.start <= piece.end <= len(blob):
            raise ValueError(
                f"blob {piece.blob} has {len(blob)} octets, the copy wants {piece.start} to {piece.end}"
            )
        out.append(blob[piece.start : piece.end])
    return b"".join(out)


def encode(pieces: Iterable[Piece]) -> bytes:
    """The pieces as they are stored; ``decode`` gives them back."""
    out: list[bytes] = [_VERSION]
    for piece in pieces:
        if isinstance(piece, bytes):
            out += (b"b%d:" % len(piece), piece)
        else:
            out.append(b"s%d,%d,%d:" % piece)
    return b"".join(out)


def decode(stored: bytes) -> Pieces:
    """The pieces that ``encode`` was given. Raises ValueError where the octets are none of its making."""
    if not stored.startswith(_VERSION):
        raise ValueError("these pieces were stored in another form than this version reads")
    out: list[Piece] = []
    at = len(_VERSION)
    while at < len(stored):
        match = _ENTRY.match(stored, at)
        if match is None:
            raise ValueError("the stored pieces are damaged")
        at = match.end()
        if match[1] is None:
            out.append(Slice(int(match[2]), int(match[3]), int(match[4])))
            continue
        size = int(match[1])
        if at + size > len(stored):
            raise ValueError("the stored pieces end too early")
        out.append(stored[at : at + size])
        at += size
    return tuple(out)
