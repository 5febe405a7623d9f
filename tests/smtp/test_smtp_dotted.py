"""The end of DATA and the stuffing of dots, against an implementation that was written to be obvious."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.smtp.client import Connection, Outgoing, Timeouts
from mailrouter.smtp.dot_stuffing import DottedReader, stuff

LETTERS = st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"\r\n.", b"\r\n..", b"a", b"\x00"])
TEXT = st.lists(LETTERS, max_size=25).map(b"".join)
CLEAN = st.lists(st.sampled_from([b"\r\n", b".", b"..", b"a", b"b." * 3]), max_size=25).map(b"".join)


def plainly(wire: bytes) -> tuple[bytes, bytes] | None:
    """Content and rest, line by line at CRLF; None while the end has not come (RFC 5321 §4.5.2)."""
    content: list[bytes] = []
    lines = wire.split(b"\r\n")
    for number, line in enumerate(lines[:-1]):
        if line == b".":
            return b"".join(content), b"\r\n".join(lines[number + 1 :])
        content.append((line[1:] if line.startswith(b".") else line) + b"\r\n")
    return None


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """``data`` in blocks, cut at ``places`` (counted around the end)."""
    at = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(at)]


def read(blocks: list[bytes]) -> tuple[bytes, bytes] | None:
    """What a DottedReader makes of the blocks."""
    reader = DottedReader()
    content = b""
    for number, block in enumerate(blocks):
        content += reader.feed(block)
        if reader.done:
            return content, reader.rest + b"".join(blocks[number + 1 :])
    return None


@given(TEXT, st.lists(st.integers(0, 200), max_size=12))
def test_any_split_reads_the_same_as_the_plain_way(wire: bytes, places: list[int]) -> None:
    """However the octets are cut, content and rest are those of a line-by-line reading."""
    assert read(cut(wire + b"\r\n.\r\nQUIT\r\n", places)) == plainly(wire + b"\r\n.\r\nQUIT\r\n")


@given(TEXT, st.lists(st.integers(0, 200), max_size=12))
def test_what_has_no_end_does_not_end(wire: bytes, places: list[int]) -> None:
    """No cut makes an end where the line-by-line reading sees none, nor hides one that is there."""
    assert (read(cut(wire, places)) is None) == (plainly(wire) is None)


@given(CLEAN)
def test_one_octet_at_a_time_is_a_split_like_any_other(wire: bytes) -> None:
    """Octet by octet gives what the whole gives."""
    whole = wire + b"\r\n.\r\n"
    assert read([whole[n : n + 1] for n in range(len(whole))]) == plainly(whole)


@given(CLEAN)
def test_stuffed_content_comes_back(content: bytes) -> None:
    """Whatever is stuffed and ended is read back unchanged, with a last CRLF where it had none."""
    ended = content if content.endswith(b"\r\n") or not content else content + b"\r\n"
    assert read([stuff(ended) + b".\r\n"]) == (ended, b"")


class Written:
    """A connection's writing end that only remembers."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        """Remember ``data``."""
        self.data += data

    async def drain(self) -> None:
        """Always ready."""


async def sent(blocks: list[bytes] | None, content: bytes = b"") -> bytes:
    """What a Connection writes for a content that comes whole or in blocks, its end included."""

    async def stream() -> AsyncIterator[bytes]:
        for block in blocks or []:
            yield block

    written = Written()
    connection = Connection(asyncio.StreamReader(), written, Timeouts())  # type: ignore[arg-type]
    message = Outgoing("", "", 0, content=content, stream=None if blocks is None else stream)
    end = await connection._send_content(message)
    connection._replies.stop()
    return written.data + end


@given(CLEAN, st.lists(st.integers(0, 200), max_size=12))
def test_streamed_content_is_stuffed_like_whole_content(content: bytes, places: list[int]) -> None:
    """Blocks that end inside CRLF-dot lose no stuffing and gain none."""
    blocks = cut(content, places)
    ended = content if content.endswith(b"\r\n") or not content else content + b"\r\n"
    wire = asyncio.run(sent(blocks))
    assert wire == asyncio.run(sent(None, content))
    assert plainly(wire) == (ended, b"")


@pytest.mark.parametrize("content", [b"", b"\r", b".", b"\r\n", b"\r\n.", b".\r\n", b"\r\n\r\n", b"a\r"])
def test_the_shortest_contents_end_like_all_others(content: bytes) -> None:
    """Even a lone CR is followed by a whole CRLF dot CRLF."""
    for blocks in ([content], [content[n : n + 1] for n in range(len(content))], None):
        wire = asyncio.run(sent(blocks, content))
        assert plainly(wire) is not None
        assert wire == b".\r\n" or wire.endswith(b"\r\n.\r\n")
