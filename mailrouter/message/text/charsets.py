"""Decoding mail, by a table of the charsets it has. Pure; nothing here raises.

Labels mean what the Encoding standard of the WHATWG makes of them (encoding.spec.whatwg.org, §4.2), as in
browsers and mail programs: ``iso-8859-1`` and ``us-ascii`` are windows-1252, ``gb2312`` is GB 18030,
``shift_jis`` is Windows-31J. A few more stand in mail alone. No other label ever reaches Python's look-up of
codecs, which keeps each unknown name for ever and knows codecs that take quadratic time.
"""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Callable
from functools import cache

from mailrouter.message import bounds

_NOT_LABEL = re.compile(r"[^a-z0-9]++")
_LABELS = {
    "utf-8": "unicode11utf8 unicode20utf8 utf8 xunicode20utf8 utf8mb4 utf8sig cp65001 "
    "unknown8bit xunknown default binary",
    "utf-16-le": "csunicode iso10646ucs2 ucs2 unicode unicodefeff utf16 utf16le",
    "utf-16-be": "unicodefffe utf16be",
    "utf-7": "utf7 unicode11utf7 unicode20utf7 xunicode20utf7 csutf7 csunicode11utf7",
    "cp866": "866 cp866 csibm866 ibm866",
    "iso8859-2": "csisolatin2 iso88592 iso885921987 isoir101 l2 latin2",
    "iso8859-3": "csisolatin3 iso88593 iso885931988 isoir109 l3 latin3",
    "iso8859-4": "csisolatin4 iso88594 iso885941988 isoir110 l4 latin4",
    "iso8859-5": "csisolatincyrillic cyrillic iso88595 iso885951988 isoir144",
    "iso8859-6": "arabic asmo708 csiso88596e csiso88596i csisolatinarabic ecma114 iso88596 iso885961987 iso88596e "
    "iso88596i isoir127",
    "iso8859-7": "csisolatingreek ecma118 elot928 greek greek8 iso88597 iso885971987 isoir126 suneugreek",
    "iso8859-8": "csiso88598e csisolatinhebrew hebrew iso88598 iso885981988 iso88598e isoir138 visual csiso88598i "
    "iso88598i logical",
    "iso8859-10": "csisolatin6 iso885910 isoir157 l6 latin6",
    "iso8859-13": "iso885913",
    "iso8859-14": "iso885914",
    "iso8859-15": "csisolatin9 iso885915 l9 latin9",
    "iso8859-16": "iso885916",
    "koi8-r": "cskoi8r koi koi8 koi8r",
    "koi8-u": "koi8ru koi8u",
    "mac-roman": "csmacintosh mac macintosh xmacroman macroman",
    "mac-cyrillic": "xmaccyrillic xmacukrainian maccyrillic",
    "mac-latin2": "xmacce maclatin2 xmaccentraleurroman",
    "cp874": "dos874 iso885911 tis620 windows874 cp874",
    "cp1250": "cp1250 windows1250 xcp1250",
    "cp1251": "cp1251 windows1251 xcp1251",
    "cp1252": "ansix341968 ascii cp1252 cp819 csisolatin1 ibm819 iso88591 iso885911987 isoir100 l1 latin1 usascii "
    "windows1252 xcp1252 ansi ansix341986 iso646us us xansi 88591 cp20127 646",
    "cp1253": "cp1253 windows1253 xcp1253",
    "cp1254": "cp1254 csisolatin5 iso88599 iso885991989 isoir148 l5 latin5 windows1254 xcp1254",
    "cp1255": "cp1255 windows1255 xcp1255",
    "cp1256": "cp1256 windows1256 xcp1256",
    "cp1257": "cp1257 windows1257 xcp1257",
    "cp1258": "cp1258 windows1258 xcp1258",
    "cp437": "cp437 ibm437 437 cspc8codepage437",
    "cp850": "cp850 ibm850 850 cspc850multilingual",
    "cp852": "cp852 ibm852 852 cspcp852",
    "cp858": "cp858 ibm858 858 ibm00858",
    "gb18030": "chinese csgb2312 csiso58gb231280 gb2312 gb231280 gbk isoir58 xgbk gb18030 gb180302000 cp936 ms936 "
    "windows936 euccn eucgb2312cn",
    "hz": "hzgb2312 hz",
    "big5hkscs": "big5 big5hkscs cnbig5 csbig5 xxbig5 big5eten",
    "cp950": "cp950 ms950 windows950",
    "euc-jp": "cseucpkdfmtjapanese eucjp xeucjp ujis eucjpms cp51932",
    "cp932": "csshiftjis ms932 mskanji shiftjis sjis windows31j xsjis cp932 cswindows31j windows932",
    "iso2022-jp": "csiso2022jp iso2022jp iso2022jp1 iso2022jp2 iso2022jp3 iso2022jp2004 iso2022jpext iso2022jpms "
    "csiso2022jp2 cp50220 cp50221 cp50222 xwindowsiso2022jp xiso2022jp",
    "cp949": "cseuckr csksc56011987 euckr isoir149 korean ksc5601 ksc56011987 ksc56011989 windows949 cp949 ms949 uhc",
    "johab": "johab cp1361 ms1361",
    "iso2022-kr": "csiso2022kr iso2022kr",
}  # fmt: skip
_CODECS = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}
# Of these the first that takes all octets is meant: the names of mail stand for several close relatives.
_RELATIVES = {
    "euc-jp": ("euc-jp", "euc-jis-2004"),
    "big5hkscs": ("big5hkscs", "cp950"),
    "iso2022-jp": ("iso2022-jp", "iso2022-jp-2004", "iso2022-jp-ext"),
}
_DOS = frozenset({"cp437", "cp850", "cp852", "cp858", "cp866"})
_TABLES = frozenset(
    codec
    for codec in _LABELS
    if codec.startswith(("iso8859", "cp125", "koi8", "mac")) or codec in _DOS or codec == "cp874"
)
"""Charsets of one octet a character."""
_HOLE = "\ufffe"  # what codecs.charmap_decode takes as undefined
_SHIFT = re.compile(rb"\x1b(?:\$[@B]|\([BIJH]|\$\(D)")
_WRONG = "\ufffd"


def decode_charset(data: bytes, label: str) -> str:
    """``data`` as text: in the charset of ``label``, if every octet fits it; else in UTF-8; else in windows-1252.

    Text that is UTF-8 is read as that under the label of a charset of one octet a character, too: such labels
    fit anything. Where a few octets of a long text are broken, each of them becomes U+FFFD and the rest stays readable.
    """
    codec = _codec(label)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and codec.startswith("utf-16"):
        codec = "utf-16-le" if data.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
        data = data[2:]
    if codec in _TABLES:
        if codec not in _DOS and (text := _strictly(data, "utf-8")) is not None:
            return text
        if (text := _by_table(data, codec)) is not None:
            return text
    elif codec != "utf-8":
        for relative in _RELATIVES.get(codec, (codec,)):
            if (text := _strictly(data, relative)) is not None:
                return text
        if codec == "iso2022-jp" and (text := _iso2022_of_windows(data)) is not None:
            return text
    if (text := _strictly(data, "utf-8")) is not None:
        return text
    if codec not in _TABLES and (text := _mostly(data, codec)) is not None:
        return text
    return _by_table(data, "cp1252") or ""


def decode_unlabelled(data: bytes) -> str:
    """Octets without a label: UTF-8 where it fits (RFC 6532), else windows-1252."""
    if data.isascii():
        return data.decode("ascii")
    return decode_charset(data, "utf-8")


def decode_file(data: bytes, label: str) -> str:
    """``data`` of an attached text file: its octets tell more than ``label``, which the mail program guessed."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return decode_charset(data, "utf-16")
    if not data.isascii() and (text := _strictly(data, "utf-8")) is not None:
        return text
    return decode_charset(data, label)


def _codec(label: str) -> str:
    return _CODECS.get(_NOT_LABEL.sub("", label[: bounds.CHARSET_LABEL].lower()), "utf-8")


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        text = data.decode(codec)
    except (UnicodeDecodeError, ValueError):
        return None
    return text.removeprefix("\ufeff")


def _mostly(data: bytes, codec: str) -> str | None:
    """The text with U+FFFD, or None for a wrong label. The label must be wrong where much of the text is broken."""
    if codec == "utf-7":  # it calls back for each broken octet, and fits any ASCII
        return None
    try:
        text = data.decode(codec, "replace")
    except ValueError:  # a codec for which even the replacing can fail
        return None
    broken = text.count(_WRONG)
    fits = len(text) - len(text.encode("ascii", "ignore")) - broken
    at_end = broken == 1 and text.endswith(_WRONG)  # as where a long text was cut
    return text if broken * 4 <= fits or (at_end and fits) else None


def _by_table(data: bytes, codec: str) -> str | None:
    try:
        return codecs.charmap_decode(data, "strict", _table(codec))[0]
    except UnicodeDecodeError:
        return None


@cache
def _table(codec: str) -> str:
    """256 characters. Octets 128 to 159 that a charset leaves open are controls, as the Encoding standard has it."""
    characters = bytes(range(256)).decode(codec, "replace")
    return "".join(
        (chr(octet) if 0x80 <= octet < 0xA0 else _HOLE) if character == _WRONG else character
        for octet, character in enumerate(characters)
    )


def _iso2022_of_windows(data: bytes) -> str | None:
    """ISO-2022-JP as Windows writes it (cp50221), or None.

    It has the rows that Windows adds to JIS X 0208, and half-width kana.
    """
    if data.count(b"\x1b") > bounds.CHARSET_SHIFTS:
        return None
    out: list[str] = []
    at, read = 0, _READERS[b"(B"]
    for shift in [*_SHIFT.finditer(data), None]:
        text = read(data[at : shift.start() if shift else len(data)])
        if text is None:
            return None
        out.append(text)
        if shift:
            at, read = shift.end(), _READERS.get(shift[0][1:], _ascii)
    return "".join(out)


def _ascii(data: bytes) -> str | None:
    return data.decode("ascii") if data.isascii() and b"\x1b" not in data else None


def _half_width(data: bytes) -> str | None:
    return _strictly(data.translate(_HIGH), "cp932") if data.isascii() and b"\x1b" not in data else None


def _kanji(data: bytes) -> str | None:
    if len(data) % 2:
        return None
    found = list(map(_rows().get, memoryview(data).cast("H")))
    return None if None in found else "".join(map(str, found))


def _supplement(data: bytes) -> str | None:
    if len(data) % 2 or not data.isascii():
        return None
    high = data.translate(_HIGH)
    return _strictly(b"".join(b"\x8f" + high[at : at + 2] for at in range(0, len(high), 2)), "euc-jp")


_HIGH = bytes(octet | 0x80 for octet in range(256))
_READERS: dict[bytes, Callable[[bytes], str | None]] = {
    **dict.fromkeys((b"(B", b"(J", b"(H"), _ascii),
    **dict.fromkeys((b"$@", b"$B"), _kanji),
    b"(I": _half_width,
    b"$(D": _supplement,
}


@cache
def _rows() -> dict[int, str]:
    """Windows-31J's characters, by their number in ISO-2022-JP. Its two octets are read as one number."""
    found: dict[int, str] = {}
    for first in range(0x21, 0x7F):
        for second in range(0x21, 0x7F):
            lead = (first - 0x21) // 2 + 0x81
            lead += 0x40 * (lead >= 0xA0)
            trail = second + 0x7E if first % 2 == 0 else second + 0x1F + (second >= 0x60)
            character = _strictly(bytes((lead, trail)), "cp932")
            if character is not None:
                found[int.from_bytes(bytes((first, second)), sys.byteorder)] = character
    return found
