"""Every reader of what comes from outside, one row each: how it is called, and what its input is made of."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from mailrouter.address import canonical
from mailrouter.calendars.lines import contents_of
from mailrouter.config.yaml import reader
from mailrouter.errors import MailrouterError
from mailrouter.message import bounds
from mailrouter.message.classify import autoreply_refusals, classify
from mailrouter.message.dsn.bounce import MAX_READ, read_bounce
from mailrouter.message.dsn.status import read_status
from mailrouter.message.head import Head
from mailrouter.message.parts import Part, leaves
from mailrouter.message.provenance.received import has_loop_mark, received_count
from mailrouter.message.scanner import Scanner
from mailrouter.message.text.charsets import decode_charset, decode_file
from mailrouter.message.text.html_text import text_of_html
from mailrouter.message.text.sanitise import without_addresses
from mailrouter.message.text.xtext import decode_original_recipient, decode_xtext
from mailrouter.routing.addressing import cc_with, reply_to_with
from mailrouter.routing.partner.confirmation import says_yes
from mailrouter.routing.partner.handoff_text import body_of, handoff_of
from mailrouter.routing.partner.sections import read_sections
from mailrouter.routing.verdict import dmarc_pass, verdicts
from mailrouter.schedule.language.requests_parser import requests_in
from mailrouter.smtp.envelope import add_recipient, begin, read_path
from tests.schedule.roles import role_of

KILO = 1024
_FROM = b"From: Jane <jane@example.test>\r\nTo: vp@example.test\r\nSubject: x\r\n"
_ROLE = role_of()

OFF_THE_LOOP = 0.25
"""Seconds for what is read in the process of partners' mail (``mailrouter.worker``), where nobody else waits."""


class Reader(NamedTuple):
    """One reader: its name, the call, pieces of its grammar, the octets at which it cuts, and seconds it may take."""

    name: str
    work: Callable[[str], object]
    tokens: tuple[str, ...]
    bound: int = 64 * KILO
    most: float = 0.05


def _octets(text: str) -> bytes:
    return text.encode("latin-1", "ignore")


def _field(name: str, read: Callable[[Head], object]) -> Callable[[str], object]:
    """The text as the value of one field."""
    return lambda text: read(Head(name.encode() + b": " + _octets(text) + b"\r\n"))


def _section(read: Callable[[Head], object]) -> Callable[[str], object]:
    """The text as the whole header."""
    return lambda text: read(Head(_octets(text)))


def _mail(
    read: Callable[[Scanner, bytes], object], header: str, body: bool = True
) -> Callable[[str], object]:
    """The text as the body of a mail with this header, or, put in at ``@@``, as a part of the header."""

    def work(text: str) -> object:
        if body:
            raw = header.encode() + b"\r\n\r\n" + _octets(text)
        else:
            raw = _octets(header.replace("@@", text)) + b"\r\n\r\nhello\r\n"
        scanner = Scanner()
        scanner.feed(raw)
        return read(scanner, raw)

    return work


def _natured(scanner: Scanner, _: bytes) -> object:
    shape = scanner.finish()
    nature = classify(scanner.head, shape)
    return autoreply_refusals(scanner.head, shape, nature, "jane@example.test")


def _bounced(scanner: Scanner, raw: bytes) -> object:
    return read_bounce(scanner.head, scanner.finish(), raw[:MAX_READ], "")


def _handed(scanner: Scanner, raw: bytes) -> object:
    shape = scanner.finish()
    parts = leaves(scanner.head, raw[shape.body_start :])
    body = body_of(scanner.head, parts)
    return handoff_of(scanner.head, parts, body), says_yes(scanner.head, body)


def _leaves(scanner: Scanner, raw: bytes) -> object:
    return [part.text() for part in leaves(scanner.head, raw[scanner.finish().body_start :])]


def _command(keyword: str) -> Callable[[str], object]:
    def work(text: str) -> None:
        with contextlib.suppress(Exception):
            path = read_path(keyword, _octets(text))
            add_recipient(begin(path, None), path)

    return work


def _asked(text: str) -> None:
    with contextlib.suppress(Exception):
        requests_in(text, "", _ROLE, "laurie", datetime(2026, 12, 3, 10))


def _yaml(text: str) -> None:
    with contextlib.suppress(MailrouterError):
        reader.read("role.yaml", text.encode())


def _calendar(text: str) -> None:
    with contextlib.suppress(MailrouterError):
        contents_of(
            b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + _octets(text) + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )


_FOLD = ("\r\n ", " ", "\t", "a")
_WORDS = ("=?utf-8?q?a?=", "=?utf-8?q?", "=?", "?=", "=?iso-2022-jp?b?", "=?-punycode?q?=E4?=", "=E4", "é")
_LIST = ("a@b.test", ",", "<", ">", '"', "\\", "(", ")", ":", ";", "@", "[", "]", "<@a:", "a", " ", "é")
_PARAMETERS = (
    ";",
    "a=b",
    ";a*0*=b",
    ';a="',
    '"',
    "\\",
    "=",
    "*",
    "'",
    "%E4",
    "(",
    ")",
    "a",
    " ",
    "\r\n ",
    "/",
)
_TEXT = (
    "a",
    " ",
    "\n",
    "\r\n",
    "> ",
    "-",
    "_",
    "!",
    ":",
    ",",
    ".",
    "On ",
    " wrote:",
    "schrieb ",
    "--\r\n",
    "550 ",
)
_HTML = (
    *(
        "<p>",
        "</p>",
        "<td>",
        "<br>",
        "<blockquote>",
        "</blockquote>",
        "<a href='http://x.test'>",
        "</a>",
        "<pre>",
    ),
    *(
        "<li>",
        "<ul>",
        "<h1>",
        "<b>",
        "<",
        ">",
        '"',
        "'",
        "&amp;",
        "&#",
        "1",
        "&#x41;",
        "x",
        " ",
        "\n",
        "<!--",
        "-->",
    ),
    *("<style>", "</style>", "<p style='", "type=a ", "\xb7 ", "o   ", ",\n"),
)
_REPORT = (
    "Final-Recipient: rfc822; a@b.test\r\n",
    "\r\n",
    "Action: failed\r\n",
    "5.1.1 ",
    "\n",
    "\r",
    " ",
    "a",
    ":",
)
_PARTS = ("\r\n--b", "\r\n--b\r\n", "--b--", "\r\n", "--", "-", "b", "a:b\r\n", "\r\n\r\n", " ", "a")
_SERVER = (
    "550 5.1.1 ",
    "delivering,",
    "user ",
    "unknown",
    "a@b.test ",
    "mailbox ",
    "address ",
    "1.2.3.4 ",
    "-",
    " ",
    "\n",
)
_ALNUM = ("a", "4", "-", ".", "@", "%40", "+40", "://", "::", ":", '"', " ", "a.b", "é", "[...] ")
_AR = (
    "mail.example.test; dmarc=pass ",
    ";",
    "(",
    ")",
    '"',
    "\\",
    "=",
    "dmarc=",
    "header.from=a ",
    "/",
    " ",
    "\x0b",
    "a",
)
_OFF = (
    "off ",
    "today",
    ".",
    " ",
    "x",
    "21 Dec ",
    "to ",
    "1 Jan ",
    ",",
    "and ",
    "Laurie ",
    "\n",
    ":",
    "14:00 ",
    "-",
    "hi ",
    "!",
)
_YAML = (
    "a: b\n",
    "- ",
    "[",
    "]",
    "{",
    "}",
    '"',
    "'",
    "#",
    "\n",
    " ",
    ":",
    "a",
    "&a ",
    "*a ",
    "? ",
    "\t",
    "|\n",
)
_ICS = (
    "DTSTART:20260101\r\n",
    "\r\n ",
    ":",
    ";",
    '"',
    "=",
    "RRULE:FREQ=DAILY\r\n",
    "BEGIN:VALARM\r\n",
    "a",
    " ",
    "\r\n",
)
_ISO = ("\x1b$B", "\x1b(B", "\x1b(I", "\x1b$(D", "\x1b", "!!", "a", "\x80", "\xff", "~{", "+AAA-", "\xe4")
_PLAIN = "Content-Type: text/plain; charset=utf-8"
_QP = _PLAIN + "\r\nContent-Transfer-Encoding: quoted-printable"
_MIXED = "Content-Type: multipart/mixed; boundary=b"
_HEADER = (
    "a:\r\n",
    "a:b\r\n",
    ":",
    "\r\n",
    " ",
    "\r",
    "\n",
    "To: a@b.test\r\n",
    "Received: x\r\n",
    "\r\n\r\n",
    "From ",
)

READERS = (
    Reader(
        "names of fields", _section(lambda head: (head.names, received_count(head))), _HEADER, bounds.HEADER
    ),
    Reader(
        "fields of one name",
        _section(lambda head: (head.all_text("a"), head.all_structured("a"))),
        _HEADER,
        bounds.HEADER,
    ),
    Reader(
        "loop mark", _field("Mailrouter-Loop", lambda head: has_loop_mark(head, b"k" * 32, "a@b.test")), _FOLD
    ),
    Reader("unstructured field", _field("Subject", lambda head: head.text("subject")), (*_WORDS, *_FOLD)),
    Reader(
        "structured field",
        _field("Precedence", lambda head: head.structured("precedence")),
        (*_WORDS, *_FOLD),
    ),
    Reader("addresses", _field("To", lambda head: head.mailboxes("to")), (*_LIST, *_WORDS[:3])),
    Reader(
        "message ids",
        _field("References", lambda head: head.references),
        ("<a@b>", "<", ">", '"', "@", "a", " "),
    ),
    Reader(
        "parameters", _field("Content-Type", lambda head: head.parameter("content-type", "a")), _PARAMETERS
    ),
    Reader("media type", _field("Content-Type", lambda head: head.content_type), _PARAMETERS),
    Reader(
        "Cc and Reply-To of copies",
        _field("Cc", lambda head: (cc_with(head, []), reply_to_with(head, []))),
        _LIST,
    ),
    Reader("one address", canonical, ("a", '"', "@", ".", "+", "\\")),
    Reader("structure", _mail(lambda scanner, _: scanner.finish(), _MIXED), _PARTS, 1024 * KILO),
    Reader(
        "nature by Precedence",
        _mail(_natured, "Precedence: @@", body=False),
        (*_WORDS, *_FOLD, "(", ")", ","),
    ),
    Reader(
        "nature by Auto-Submitted",
        _mail(_natured, "Auto-Submitted: @@", body=False),
        (*_WORDS, "(", ")", ";", "no"),
    ),
    Reader(
        "nature by Subject",
        _mail(_natured, "Subject: @@", body=False),
        ("Re: ", "[", " ", "notification ", "delivery ", "a"),
    ),
    Reader(
        "nature by From",
        _mail(_natured, "From: @@", body=False),
        ("a-", "mail", "-owner", "bounce", ".", "=", "@", "a", "prvs="),
    ),
    Reader("report in words", _mail(_bounced, _PLAIN), (*_SERVER, *_TEXT[:6]), MAX_READ),
    Reader("report in HTML", _mail(_bounced, "Content-Type: text/html"), _HTML, MAX_READ),
    Reader("report in parts, scanned", _mail(_bounced, _MIXED), _PARTS, MAX_READ, 0.1),
    Reader(
        "delivery status",
        lambda text: read_status(Part("message/delivery-status", Head(b""), _octets(text))),
        _REPORT,
    ),
    Reader("leaves", _mail(_leaves, _MIXED), _PARTS, 1024 * KILO),
    Reader("HTML", text_of_html, _HTML, bounds.HTML),
    Reader(
        "charsets",
        lambda text: [decode_charset(_octets(text), name) for name in ("iso-2022-jp", "euc-kr", "x")],
        _ISO,
    ),
    Reader("utf-7", lambda text: decode_charset(_octets(text), "utf-7"), _ISO),
    Reader("text files", lambda text: decode_file(_octets(text), "us-ascii"), _ISO),
    Reader(
        "server's words told to senders", lambda text: without_addresses(text, ["laurie@mail.test"]), _ALNUM
    ),
    Reader(
        "xtext",
        lambda text: (decode_xtext(text), decode_original_recipient("rfc822;" + text)),
        ("+", "2B", "a", "\\x{F6}", "+2b"),
    ),
    Reader(
        "Authentication-Results",
        _field(
            "Authentication-Results",
            lambda head: (verdicts(head, "mail.example.test"), dmarc_pass(head, "mail.example.test", "a")),
        ),
        _AR,
    ),
    Reader(
        "MAIL", _command("FROM"), ("FROM:<a@b.test>", "<", ">", '"', "\\", "@", ".", "a", " SIZE=1", "=", " ")
    ),
    Reader(
        "RCPT",
        _command("TO"),
        ("TO:<a@b.test>", "<", ">", '"', "\\", "@", ".", "a", " ORCPT=rfc822;a", "+", " "),
    ),
    Reader("handoff, plain", _mail(_handed, _FROM.decode() + _PLAIN), _TEXT, 200 * KILO, most=OFF_THE_LOOP),
    Reader(
        "handoff, quoted-printable",
        _mail(_handed, _FROM.decode() + _QP),
        ("=\r\n", "=41", "=", " ", "a", "\r\n"),
        200 * KILO,
        most=OFF_THE_LOOP,
    ),
    Reader("handoff, HTML", _mail(_handed, _FROM.decode() + "Content-Type: text/html"), _HTML, 200 * KILO),
    Reader("handoff's sections", read_sections, ("Done:", "- ", "\n", "#", " ", "*", "a", ":", "Left: ")),
    Reader("what is asked of the schedule", _asked, _OFF),
    Reader("a role's file, in a thread", _yaml, _YAML, most=2.0),
    Reader("a partner's calendar", _calendar, _ICS),
)
