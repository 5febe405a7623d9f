"""Marks that only we can make, against the standard library's own."""

import hmac
import sys
import threading
from base64 import b32decode

from hypothesis import given
from hypothesis import strategies as st

from mailrouter import keyed


@given(st.binary(min_size=1, max_size=200), st.lists(st.binary(max_size=300), max_size=4))
def test_it_is_the_hmac_of_the_standard(key: bytes, words: list[bytes]) -> None:
    """One mark leaves nothing behind for the next."""
    assert [keyed.digest(key, one) for one in words] == [hmac.digest(key, one, "sha256") for one in words]


def test_threads_do_not_mix_their_marks() -> None:
    """Each works on a copy of its own."""
    keys = [bytes([number]) * 32 for number in range(4)]
    wrong: list[bytes] = []

    def make(key: bytes) -> None:
        for number in range(2000):
            words = b"%d" % number
            if keyed.digest(key, words) != hmac.digest(key, words, "sha256"):
                wrong.append(words)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=make, args=[key]) for key in keys]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not wrong


@given(st.binary(max_size=40))
def test_base32_is_read_back_by_anybody(octets: bytes) -> None:
    """In lower case, without padding."""
    written = keyed.base32(octets)
    assert written == written.lower().rstrip("=")
    assert b32decode(written.upper() + "=" * (-len(written) % 8)) == octets
