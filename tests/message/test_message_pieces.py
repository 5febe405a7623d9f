"""Copies as lists of pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.message.pieces import Piece, Slice, decode, encode, join, length, render

BLOBS = {0: bytes(range(256)) * 2, 3: b"handoff" * 40}
SLICES = st.builds(
    lambda blob, a, b: Slice(blob, min(a, b), max(a, b)),
    st.sampled_from([0, 3]),
    st.integers(0, 280),
    st.integers(0, 280),
)
PIECES = st.lists(st.binary(max_size=20) | SLICES, max_size=20)


@given(PIECES)
def test_stored_pieces_come_back(pieces: list[Piece]) -> None:
    """What was encoded is decoded to the same list."""
    assert decode(encode(pieces)) == tuple(pieces)


@given(st.integers(0, 2**58), st.integers(0, 2**58))
def test_large_offsets_come_back(start: int, size: int) -> None:
    """Offsets of any size survive being stored."""
    assert decode(encode((Slice(7, start, start + size),))) == (Slice(7, start, start + size),)


@given(PIECES, PIECES)
def test_joining_changes_no_octet(left: list[Piece], right: list[Piece]) -> None:
    """A joined list renders as its members do one behind the other, with nothing left to merge."""
    joined = join(left, right)
    assert render(joined, BLOBS) == render(left, BLOBS) + render(right, BLOBS)
    assert length(joined) == len(render(joined, BLOBS))
    assert join(joined) == joined
    assert not any(isinstance(a, bytes) and isinstance(b, bytes) for a, b in pairwise(joined))


def test_neighbouring_ranges_become_one() -> None:
    """Ranges of one blob that continue each other merge; others do not."""
    assert join((Slice(0, 0, 5), b"", Slice(0, 5, 9), Slice(1, 9, 10), Slice(0, 3, 3))) == (
        Slice(0, 0, 9),
        Slice(1, 9, 10),
    )


@given(st.binary(max_size=60))
def test_octets_of_another_making_are_refused(stored: bytes) -> None:
    """Decoding gives pieces or a ValueError, and nothing else."""
    try:
        decode(b"\x01" + stored)
    except ValueError:
        pass
    with pytest.raises(ValueError, match="another form"):
        decode(b"\x02" + stored)


def test_a_range_beyond_its_blob_is_refused() -> None:
    """A copy is never silently cut short."""
    with pytest.raises(ValueError, match="wants 0 to 9"):
        render((Slice(0, 0, 9),), {0: b"short"})
    with pytest.raises(KeyError):
        render((Slice(1, 0, 1),), {0: b"x"})
