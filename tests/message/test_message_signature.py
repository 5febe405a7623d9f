"""What a DKIM signature says of itself, read strictly."""

from __future__ import annotations

import time

import pytest

from mailrouter.message.provenance.signature import Signature, read_signature
from tests.support.pace import slowness

GOOD = b" v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td=Example.TEST; s=s; h=From:To :\r\n Subject; bh=x=; b=abc\r\n def="


def test_folds_and_case_are_no_difference() -> None:
    """The domain and the names are compared in lower case."""
    found = Signature("example.test", frozenset({"from", "to", "subject"}), False)
    assert read_signature(GOOD) == read_signature(GOOD + b"; ") == found


def test_a_length_is_seen() -> None:
    """However it is written."""
    found = read_signature(GOOD + b";\r\n l = 120")
    assert found is not None
    assert found.part_of_body


@pytest.mark.parametrize(
    "value",
    [
        GOOD + b"; d=evil.test",
        GOOD + b"; h=x",
        GOOD + b";; x=y",
        GOOD + b"; x",
        GOOD + b"; =y",
        GOOD + b"; x y=z",
        GOOD.replace(b"d=Example", b"d=Exa mple"),
        GOOD.replace(b"v=1", b"v=\x0b1"),
        GOOD.replace(b"v=1", b"v=\xc3\xa4"),
        GOOD.replace(b"d=", b"D="),
        b" v=1; h=from",
        b"",
        GOOD + b" " * 20_000,
    ],
)
def test_what_two_readers_may_read_in_two_ways_is_not_read(value: bytes) -> None:
    """A tag twice, no tag, or no domain."""
    assert read_signature(value) is None


@pytest.mark.parametrize("text", [b";", b"a=b;", b"=", b": ", b"\r\n ", b"x" * 10 + b"=;"])
def test_hostile_lists_are_read_in_linear_time(text: bytes) -> None:
    """Within the bound."""
    begun = time.thread_time()
    read_signature(b"d=x; h=" + text * 2_000)
    assert time.thread_time() - begun < 0.05 * slowness()
