"""Octets of mail as text: labels, text under a wrong label, text without one."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.message.head import Head
from mailrouter.message.text.charsets import decode_charset, decode_file, decode_unlabelled
from mailrouter.message.text.words import decode_words

TYPED = "5000 € – „final“ … it’s"


@pytest.mark.parametrize(
    "label",
    ["iso-8859-1", "ISO_8859-1:1987", "latin1", "us-ascii", "ANSI_X3.4-1968", '"Windows-1252"', "cp1252", ""],
)
def test_windows_text_is_read_under_each_of_its_labels(label: str) -> None:
    """Mail programs write iso-8859-1 and mean windows-1252, and so do readers."""
    assert decode_charset(TYPED.encode("cp1252"), label) == TYPED


@pytest.mark.parametrize(
    ("text", "codec", "label"),
    [
        ("中文–", "gbk", "gb2312"),
        ("中文–", "gb18030", "GB_2312-80"),
        ("①日本～", "cp932", "shift_jis"),
        ("①日本～", "cp932", "x-sjis"),
        ("똠방각하", "cp949", "euc-kr"),
        ("똠방각하", "cp949", "ks_c_5601-1987"),
        ("şğ€", "cp1254", "iso-8859-9"),
        ("hello ü", "utf-8", "unicode-1-1-utf-8"),
        ("hello ü", "utf-7", "unicode-1-1-utf-7"),
        ("Приве́т"[:4], "koi8-r", "koi"),
        ("ไทย", "cp874", "tis-620"),
        ("שלום", "iso8859-8", "iso-8859-8-i"),
        ("香港", "big5", "x-x-big5"),
        ("日本", "euc-jp", "x-euc-jp"),
        ("日本", "iso2022-jp", "csISO2022JP"),
        ("한국", "iso2022-kr", "iso-2022-kr"),
        ("中文", "hz", "hz-gb-2312"),
        ("ü", "utf-16", "utf-16"),
        ("ü", "utf-16-le", "unicode"),
    ],
)
def test_a_label_means_what_the_encoding_standard_says(text: str, codec: str, label: str) -> None:
    """Its labels, and a few that mail has besides."""
    assert decode_charset(text.encode(codec), label) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x1b$B-!F|\x1b(B (1)", "①日 (1)"),  # NEC's row 13
        (b"\x1b$B-p\x1b(B", "≒"),
        (b"\x1b$By!\x1b(B", "纊"),  # IBM's characters in NEC's rows
        (b"\x1b(I123\x1b(B", "ｱｲｳ"),
        (b'\x1b$B$"\x1b(I1\x1b$B-!\x1b(J~', "あｱ①~"),
        (b"\x1b$(D\x22\x71\x1b$B-!\x1b(B", "№①"),  # JIS X 0212, too
    ],
)
def test_japanese_mail_of_windows_is_read(octets: bytes, text: str) -> None:
    """Labelled iso-2022-jp, it has characters that the standard has not."""
    assert decode_charset(octets, "iso-2022-jp") == text


@pytest.mark.parametrize(
    "label", ["us-ascii", "iso-8859-1", "iso-8859-2", "windows-1251", "koi8-r", "gb2312", "x"]
)
def test_utf_8_is_known_under_a_wrong_label(label: str) -> None:
    """Text that is whole UTF-8 is hardly ever anything else."""
    assert decode_charset("Gespräch mit Jörg – Dzień".encode(), label) == "Gespräch mit Jörg – Dzień"


@pytest.mark.parametrize(
    "label", ["utf-8", "utf-7", "iso-2022-jp", "unheard-of", "-punycode", "idna", "rot13", "\0"]
)
def test_text_that_does_not_fit_its_label_is_read_as_windows_text(label: str) -> None:
    """It was typed somewhere, most likely there; and no other label than those of mail is looked up."""
    assert decode_charset("Gespräch mit Jörg".encode("cp1252"), label) == "Gespräch mit Jörg"


def test_no_unknown_label_reaches_the_look_up_of_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python keeps each name that it was ever asked for."""
    asked: list[str] = []
    codecs.register(asked.append)
    try:
        for label in ("-punycode", "x-nobody-has-this", "utf-8-", "_idna", "a" * 5_000, "rot_13", "zlib"):
            decode_charset(b"hello \xe4", label)
            decode_words(f"=?{label[:40]}?q?hello_=E4?=")
            Head(f"Content-Type: text/plain; name*={label}''%E4\r\n".encode()).parameter(
                "content-type", "name"
            )
    finally:
        codecs.unregister(asked.append)
    assert [name for name in asked if "punycode" in name or "nobody" in name or len(name) > 40] == []


def test_the_five_holes_of_windows_1252_are_controls() -> None:
    """As the Encoding standard has it: nothing is lost, and the reader takes controls out."""
    assert decode_charset(b"a\x81\x8d\x8f\x90\x9d", "windows-1252") == "a\x81\x8d\x8f\x90\x9d"
    assert decode_unlabelled(b"\xfc\x81") == "ü\x81"


@pytest.mark.parametrize(("codec", "label"), [("utf-8", "utf-8"), ("cp932", "shift_jis"), ("gb18030", "gbk")])
def test_one_broken_octet_does_not_spoil_a_long_text(codec: str, label: str) -> None:
    """Nor does the cut through a character at a bound."""
    octets = ("日本語テスト" * 5).encode(codec)
    assert decode_charset(octets[:-1], label).startswith("日本語")
    assert decode_charset(octets + b"\xff" + octets, label).count("日本語") >= 9


@pytest.mark.parametrize(
    ("octets", "label", "text"),
    [
        (TYPED.encode("cp1252"), "utf-8", TYPED),
        (TYPED.encode("cp1252"), "us-ascii", TYPED),
        (TYPED.encode("utf-8"), "iso-8859-1", TYPED),
        (TYPED.encode("utf-8-sig"), "iso-8859-1", TYPED),
        (TYPED.encode("utf-16"), "us-ascii", TYPED),
        (codecs.BOM_UTF16_BE + TYPED.encode("utf-16-be"), "utf-8", TYPED),
        ("日本".encode("cp932"), "shift_jis", "日本"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8", "utf-8", None),
    ],
)
def test_an_attached_file_is_read_by_its_octets(octets: bytes, label: str, text: str | None) -> None:
    """A byte order mark and valid UTF-8 tell more than the label, which a mail program guessed."""
    assert text is None or decode_file(octets, label) == text


LABELS = st.sampled_from(
    ["utf-8", "iso-8859-1", "utf-7", "iso-2022-jp", "euc-kr", "hz", "utf-16", "big5", "?"]
)


@given(st.binary(max_size=60), LABELS)
def test_reading_never_fails(octets: bytes, label: str) -> None:
    """Any octets under any label are text that can be written as UTF-8."""
    decode_charset(octets, label).encode("utf-8")
    decode_file(octets, label).encode("utf-8")
