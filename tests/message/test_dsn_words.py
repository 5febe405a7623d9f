"""Taking a remote server's words apart: what may be told, and the encodings of addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.message.text.sanitise import GONE, MAX_TEXT, without_addresses
from mailrouter.message.text.xtext import (
    decode_original_recipient,
    decode_utf8_address,
    decode_xtext,
    encode_utf8_address,
    encode_xtext,
)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("550 5.1.1 User unknown", "550 5.1.1 User unknown"),
        ("452 4.2.2 <l@home.test> is over quota (17)", "452 4.2.2 <[...]> is over quota (17)"),
        ("host mx.home.test[198.51.100.3] said: 554 no", "host [...] said: 554 no"),
        ("from [2001:db8::1]: refused", "from [...]: refused"),
        ("see https://support.home.test/x?u=1 please", "see [...] please"),
        ("user l is not L's", "user [...] is not [...]'s"),
        ("Laurie's mailbox", "[...]'s mailbox"),
        ('"a b"@home.test unknown', "[...] unknown"),
        ("at 10:30 on 5.1.1", "at 10:30 on 5.1.1"),
    ],
)
def test_only_the_reason_is_left(said: str, told: str) -> None:
    """Codes and plain words stay; addresses, hosts, numbers of hosts, links and private words go."""
    assert without_addresses(said, ["l@home.test", "Laurie"]) == told


def test_what_is_left_never_spells_what_was_taken() -> None:
    """A word hidden around itself does not come together again."""
    assert "laurie" not in without_addresses("laulaurierie", ["laurie"])


@given(st.text(max_size=80), st.text(min_size=4, max_size=12), st.text(max_size=80))
def test_a_private_word_is_never_left(before: str, secret: str, after: str) -> None:
    """Whatever stands around it, a private word of four letters or more is gone."""
    secret = secret.strip().strip("<>")
    if len(secret) < 4 or "@" in secret or secret in GONE:
        return
    assert secret not in without_addresses(before + secret + after, [secret])


@pytest.mark.parametrize(
    "flood", ["a", "a.", "@", "[...]", "1:", "a@", "%40", " ", "http://", "1.", '"', '"a']
)
def test_a_flood_of_words_is_cut(flood: str) -> None:
    """The time is bounded, since only so much is read."""
    assert len(without_addresses(flood * 100_000, ["l@home.test"])) <= MAX_TEXT * len(GONE)


@pytest.mark.parametrize(
    ("coded", "text"),
    [
        ("abc", "abc"),
        ("a+2Bb+3D", "a+b="),
        ("a+20b", "a b"),
        ("a+2b", "a+"),
        ("X400:+20[/PRMD+3dOrg/C+3DGB/]", "X400: [/PRMD=Org/C=GB/]"),
        ("a+2", None),
        ("a+g1", None),
        ("+0a", None),
        ("a=b", None),
        ("+0A", None),
        ("", None),
    ],
)
def test_xtext_is_read_strictly(coded: str, text: str | None) -> None:
    """RFC 3461 §4: hexadecimal digits, whatever their case as with Postfix, no bare = and no bare +."""
    assert decode_xtext(coded) == text


def test_an_original_recipient_has_a_type() -> None:
    """RFC 3461 §4.2: a type, a semicolon, an address in xtext."""
    assert decode_original_recipient("rfc822;Jane+40b.test") == ("rfc822", "Jane@b.test")
    assert decode_original_recipient("Jane@b.test") is None


@pytest.mark.parametrize(
    ("coded", "address"),
    [
        ("utf-8;jörg@b.test", "jörg@b.test"),
        ("utf-8;j\\x{F6}rg@b.test", "jörg@b.test"),
        ("UTF-8;j\\x{F6}rg+40b.test", "jörg@b.test"),
        ("utf-8;jane@b.test", "jane@b.test"),
        ("utf-8;a\\x{0A}Status:x", None),
        ("utf-8;a\\x{2028}b", None),
        ("utf-8;", None),
        ("rfc822;jörg@b.test", None),
    ],
)
def test_an_international_original_recipient(coded: str, address: str | None) -> None:
    """RFC 6533 §3: as UTF-8, escaped, or escaped in xtext; never with what could write a field."""
    assert decode_original_recipient(coded) == (("utf-8", address) if address else None)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40))
def test_what_is_written_as_xtext_comes_back(text: str) -> None:
    """Whatever stands in an ENVID or ORCPT of ours is read as it was meant."""
    coded = encode_xtext(text)
    assert " " not in coded
    assert "=" not in coded
    assert decode_xtext(coded) == (text if text.strip() == text else None)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_an_escaped_address_comes_back(address: str) -> None:
    """Every character survives the 7-bit form of RFC 6533 §3, and only ASCII stands in it."""
    coded = encode_utf8_address(address)
    assert coded.isascii()
    assert decode_utf8_address(coded) == address
