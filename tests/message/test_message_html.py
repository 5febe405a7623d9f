"""HTML as text: character references, bounds, and what is shown without marks."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.message import bounds
from mailrouter.message.head import Head
from mailrouter.message.parts import Part, leaves
from mailrouter.message.text.html_references import without_references
from mailrouter.message.text.html_text import fits, text_of_html


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Gr&uuml;&szlig;e", "Grüße"),
        ("a &lt; b &amp;&amp; c", "a < b && c"),
        ("&#8364; &#x20AC; &#X20ac; &#0000000000000008364;", "€ € € €"),
        ("R&D, AT&T; &unheard; &", "R&D, AT&T; &unheard; &"),
        ("&copy2026 &notit; &notin;", "©2026 ¬it; ∉"),
        ("&#150;&#x80;", "–€"),
        ("&#0; &#xD800; &#99999999;", "\ufffd \ufffd \ufffd"),
        ("&#" + "1" * 5_000 + ";", "\ufffd"),
        ("&#x" + "f" * 70_000, "\ufffd"),
    ],
)
def test_character_references(written: str, read: str) -> None:
    """Named and numbered ones, with the older forms; a number of thousands of digits is none."""
    assert without_references(written) == read


@given(st.lists(st.sampled_from(["&", "amp", "auml", "#", "12", "x4f", "not", "in", ";", " "])).map("".join))
def test_references_are_those_of_the_standard_library(text: str) -> None:
    """Where that answers at all."""
    assert without_references(text) == html.unescape(text)


def test_quotations_without_end_are_counted_and_not_kept() -> None:
    """The mark of a quotation stays that of its depth, and as many closing tags end it."""
    deep = "<blockquote>x" * 300 + "</blockquote>" * 300 + "<p>free"
    assert text_of_html(deep).splitlines()[-1] == "free"
    assert text_of_html(deep).splitlines()[299] == "> " * 12 + "x"


def test_a_page_beyond_its_bounds_is_known_as_such() -> None:
    """What is cut is told to its author, and never taken for the whole."""
    assert fits("<p>" * bounds.HTML_TAGS, "")
    assert not fits("<p>" * bounds.HTML_TAGS, "<")
    assert not fits("x" * bounds.HTML, "x")
    assert text_of_html("<b>x" * (bounds.HTML_TAGS + 9)).count("x") == bounds.HTML_TAGS - 1


def test_a_report_in_html_is_read_without_marks() -> None:
    """Its words alone, so that they are found at the start of their lines."""
    page = "<h1>Failed</h1><ul><li>550 5.1.1 no such user</ul><blockquote><a href='http://x.test'>why</a>"
    part = Part("text/html", Head(b""), page.encode())
    assert [line for line in part.text().splitlines() if line] == ["Failed", "550 5.1.1 no such user", "why"]


@pytest.mark.parametrize(
    "field",
    [
        "quoted-printable;",
        "quoted-printable (by a gateway)",
        " (a) Quoted-Printable",
        "quoted-printable; x=y",
    ],
)
def test_a_transfer_encoding_with_more_behind_it_is_decoded(field: str) -> None:
    """Its first word says it."""
    head = Head(f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {field}\r\n".encode())
    assert leaves(head, b"gr=C3=BC=\r\nn")[0].text() == "grün"


def test_parts_are_found_whatever_begins_like_their_boundary() -> None:
    """Longer lines are text, white space may follow, and the last delimiter may be missing."""
    body = b"--b  \r\n\r\none\r\n--bb\r\n--b x\r\n--b\r\nContent-Type: text/html\r\n\r\ntwo\r\n--b--\r\n\r\n--b\r\n\r\nno"
    head = Head(b'Content-Type: multipart/mixed; boundary="b"\r\n')
    assert [(part.kind, part.content) for part in leaves(head, body)] == [
        ("text/plain", b"one\r\n--bb\r\n--b x"),
        ("text/html", b"two"),
    ]
    assert [part.content for part in leaves(head, b"--b\r\n\r\none\r\n--b\r\n--b\r\n\r\nlast")] == [
        b"one",
        b"",
        b"last",
    ]
