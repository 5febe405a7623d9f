"""Mails that a stranger writes to hold the relay up: each of one kind, a few dozen kilobytes to a megabyte.

``hostile_mails`` gives the same list each time. A mail is (kind, recipient, content); the kind names what is repeated
and where it stands. Senders are strangers; mails to the addresses for partners carry a partner's address in From,
which anybody can write.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

ROLE = "vp-hr@example.test"
HANDOFF = "vp-hr+handoff@example.test"
SCHEDULE = "vp-hr+schedule@example.test"
STRANGER = "Mallory <mallory@elsewhere.test>"
PARTNER = "Laurie Cremona <laurie@example.test>"

Mail = tuple[str, str, bytes]


def hostile_mails() -> list[Mail]:
    """All of them, in an order that mixes the kinds."""
    made = [*_headers(), *_encoded(), *_bodies(), *_partner_texts(), *_partner_files()]
    return [made[index] for step in range(7) for index in range(step, len(made), 7)]


def _fields(recipient: str, author: str, number: int) -> bytes:
    return (
        f"From: {author}\r\nTo: <{recipient}>\r\nDate: Mon, 30 Nov 2026 09:00:00 +0000\r\n"
        f"Message-ID: <hostile-{number}-{recipient[:12]}@elsewhere.test>\r\n"
    ).encode()


def _headers() -> Iterator[Mail]:
    """One header field that is long in a way that its grammar invites."""
    folded = {
        "content-type parameters": b"Content-Type: text/plain" + b";\r\n a*0*=b" * 5000,
        "content-type numbered parameters": b"Content-Type: text/plain"
        + b"".join(b";\r\n a*%d=b" % number for number in range(4000)),
        "content-type percent parameters": b"Content-Type: text/plain" + b";\r\n a*1*=%41%42%" * 3000,
        "content-type comments": b"Content-Type: text/plain " + _in_lines(b"(a)", 20000),
        "content-type nested comments": b"Content-Type: text/plain " + _in_lines(b"(", 50000),
        "content-type closing comments": b"Content-Type: "
        + _in_lines(b"(a ", 15000)
        + _in_lines(b")", 15000),
        "content-type quotes": b'Content-Type: text/plain; a="' + _in_lines(b'\\"', 25000),
        "content-type semicolons": b"Content-Type: text/plain" + _in_lines(b" ;", 25000),
        "content-type white space": b"Content-Type: text/plain;" + _in_lines(b" \t ", 17000) + b"x",
        "content-disposition": b"Content-Disposition: attachment" + b";\r\n filename*0*=utf-8''%20" * 2200,
        "content-transfer-encoding comments": b"Content-Transfer-Encoding: base64 "
        + _in_lines(b"(x)", 18000),
        "precedence": b"\r\n".join(b"Precedence: " + _in_lines(b"a (b", 15000) for _ in range(3)),
        "precedence comments": b"Precedence: " + _in_lines(b"()", 28000),
        "auto-submitted": b"Auto-Submitted: no " + _in_lines(b"(a)", 20000),
        "auto-submitted open comments": b"Auto-Submitted: no " + _in_lines(b"(", 50000),
        "suppress commas": b"X-Auto-Response-Suppress: " + _in_lines(b",", 50000),
        "authentication-results comments": b"Authentication-Results: mx.example.test "
        + _in_lines(b"(a)", 20000),
        "authentication-results methods": b"Authentication-Results: mx.example.test"
        + b";\r\n dmarc=fail header.from=x" * 2200,
        "authentication-results quotes": b"Authentication-Results: " + _in_lines(b'"\\', 25000),
        "authentication-results fields": b"\r\n".join(
            [b"Authentication-Results: mail.example.test; dmarc=pass"] * 900
        ),
        "received comments": b"\r\n".join([b"Received: from a " + _in_lines(b"(b [", 600) + b" by c"] * 90),
        "received from": b"\r\n".join([b"Received: " + _in_lines(b"from a by b ", 200)] * 90),
        "dkim tags": b"DKIM-Signature: v=1" + b";\r\n h=from:to" * 5000,
        "dkim semicolons": b"DKIM-Signature: " + _in_lines(b"; =", 18000),
        "dkim fields": b"\r\n".join([b"DKIM-Signature: v=1; l=1; d=example.test; h=from"] * 900),
        "references": b"References: " + _in_lines(b"<a@b> ", 10000),
        "references open": b"References: " + _in_lines(b"<", 55000),
        "references quotes": b"References: " + _in_lines(b'<"', 27000),
        "in-reply-to": b"In-Reply-To: " + _in_lines(b"<schedule-1-a@", 4500),
        "list fields": b"\r\n".join(b"List-%d: x" % number for number in range(900)),
        "other fields": b"\r\n".join(b"X-A%d: (b" % number for number in range(900)),
        "long names": b"\r\n".join(b"X" * 900 + b"%d: y" % number for number in range(200)),
        "return-path": b"Return-Path: " + _in_lines(b"<", 55000),
        "x-spam-status": b"X-Spam-Status: " + _in_lines(b"=?", 28000),
        "disposition-notification": b"Disposition-Notification-To: " + _in_lines(b"a,", 28000),
        "date": b"Date: " + _in_lines(b"Mon, 1 ", 8000),
        "bare lines": b"\r\n".join([b"no field at all"] * 900),
    }
    for number, (kind, field) in enumerate(folded.items()):
        for recipient, author in ((ROLE, STRANGER), (HANDOFF, PARTNER)):
            yield (
                kind,
                recipient,
                _fields(recipient, author, number) + b"Subject: hello\r\n" + field + b"\r\n\r\nHello\r\n",
            )
    people = {
        "addresses": b"a@b.test, " * 6000,
        "nested comments": b"(" * 55000,
        "comments": b"(a)" * 18000 + b" a@b.test",
        "quotes": b'"' * 55001,
        "escaped quotes": b'"\\" ' * 14000,
        "angles": b"<" * 55000,
        "angles and ats": b"<@" * 28000,
        "groups": b"a:b@c.test;" * 5000,
        "open groups": b"a:" * 28000,
        "commas": b"," * 55000,
        "routes": b"<@a,@b:" * 8000,
        "literals": b"[" * 55000,
        "words": b"a " * 28000 + b"<a@b.test>",
        "names": b'"Jane Doe" <jane@a.test>,\r\n ' * 2100,
        "encoded names": b"=?utf-8?q?a?= <a@b.test>, " * 2200,
        "backslashes": b"\\" * 55000,
    }
    for number, (kind, value) in enumerate(people.items()):
        for name in (b"From", b"To", b"Cc", b"Reply-To", b"Sender"):
            rest = _fields(ROLE, STRANGER, number) if name != b"From" else _fields(ROLE, "", number)[8:]
            yield (
                f"{name.decode().lower()} {kind}",
                ROLE,
                rest + name + b": " + _wrapped(value) + b"\r\n\r\nHello\r\n",
            )
        # Fields that may stand once, twenty times, and each part of the list in one of them.
        row = _wrapped(value[: len(value) // 20])
        for name in (b"From", b"Reply-To", b"Resent-To"):
            rest = _fields(ROLE, STRANGER, number) if name != b"From" else _fields(ROLE, "", number)[8:]
            yield (
                f"{name.decode().lower()} twenty {kind}",
                ROLE,
                rest + (name + b": " + row + b"\r\n") * 20 + b"\r\nHello\r\n",
            )


def _encoded() -> Iterator[Mail]:
    """Subjects and bodies in odd encodings."""
    names = (
        "-punycode",
        "_punycode",
        "punycode-",
        "PUNYCODE",
        "idna",
        "unicode_escape",
        "utf-7",
        "x-" + "a" * 30,
    )
    subjects = {
        "spaces": b" " * 60000 + b"x",
        "off today and spaces": b"off today." + b" " * 60000 + b"x",
        "replies": b"Re: " * 15000,
        "prefixes": b"AW: FW: Re[2]: " * 4000,
        "brackets": b"[" * 60000,
        "encoded words": b"=?utf-8?q?a?= " * 4000,
        "open encoded words": b"=?utf-8?q?" * 6000,
        "base64 words": b"=?utf-8?b?YQ?= " * 4000,
        "marks": b"=?" * 30000,
        "question marks": b"?" * 60000,
        "out of office": b"Out of office: " * 4000,
        "notification": b"Nachricht " * 6000,
        "undeliverable": b"Undeliverable: " * 4000,
        **{f"charset {name}": f"=?{name}?q?{'a' * 40}?= ".encode() * 900 for name in names},
        "unknown charsets": b"".join(b"=?x-unknown-%d?q?a?= " % number for number in range(2500)),
    }
    for number, (kind, value) in enumerate(subjects.items()):
        for recipient, author in ((ROLE, STRANGER), (SCHEDULE, PARTNER)):
            yield (
                f"subject {kind}",
                recipient,
                _fields(recipient, author, 500 + number)
                + b"Subject: "
                + _wrapped(value)
                + b"\r\n\r\nHello\r\n",
            )
    for number, name in enumerate(names):
        for recipient, author in ((ROLE, STRANGER), (HANDOFF, PARTNER)):
            yield (
                f"body charset {name}",
                recipient,
                _fields(recipient, author, 600 + number)
                + b"Subject: x\r\nMIME-Version: 1.0\r\n"
                + f'Content-Type: text/plain; charset="{name}"\r\n\r\n'.encode()
                + b"abc-\xff\xfe" * 12000
                + b"\r\n",
            )


def _bodies() -> Iterator[Mail]:
    """Structures of parts that don't end, and HTML."""
    head = b"Subject: x\r\nMIME-Version: 1.0\r\n"
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (number, number)
        for number in range(49)
    )
    shapes = {
        "deep": deep + b"Content-Type: text/plain\r\n\r\nx\r\n",
        "parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\n\r\nx\r\n" * 990
        + b"--b--\r\n",
        "dashed lines": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--c\r\n" * 200000,
        "nearly boundaries": b'Content-Type: multipart/mixed; boundary="'
        + b"b" * 60
        + b'"\r\n\r\n'
        + (b"--" + b"b" * 59 + b"\r\n") * 3000,
        "part headers": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        + (b"--b\r\nContent-Type: text/plain" + b";\r\n a*0*=b" * 600 + b"\r\n\r\nx\r\n") * 60,
        "attached messages": b"Content-Type: message/rfc822\r\n\r\n" * 49 + b"Subject: x\r\n\r\nx\r\n",
        "digest": b"Content-Type: multipart/digest; boundary=b\r\n\r\n"
        + b"--b\r\n\r\nSubject: x\r\n\r\nx\r\n" * 480,
        "calendar": b"Content-Type: text/calendar; method=REQUEST\r\n\r\n" + b"BEGIN:VCALENDAR\r\n" * 40000,
        "long lines": b"Content-Type: text/plain\r\n\r\n" + b"x" * 900000 + b"\r\n",
        "line ends": b"Content-Type: text/plain\r\n\r\n" + b"\r\n" * 200000,
        "delivery status": b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: message/delivery-status\r\n\r\n"
        + b"Final-Recipient: rfc822; a@b.test\r\nAction: failed\r\n\r\n" * 4000
        + b"--b--\r\n",
    }
    for number, (kind, shape) in enumerate(shapes.items()):
        yield f"shape {kind}", ROLE, _fields(ROLE, STRANGER, 700 + number) + head + shape
    pages = {
        "blockquotes": "<blockquote>,\n" * 42000,
        "open comments": "<!--" * 40000,
        "open tags": "<a " * 40000,
        "less-than": "<" * 120000,
        "attributes": "<a " + "b=c " * 30000 + ">",
        "quoted attributes": '<a b="' * 20000,
        "references": "&#" + "1" * 90000 + ";",
        "many references": "&#x41;" * 20000,
        "ampersands": "&" * 120000,
        "lists": "<ul><li>" * 15000,
        "tables": "<table><tr><td>" * 8000,
        "styles": "<style>" * 17000,
        "breaks": "<br>" * 30000,
        "doctypes": "<![<![" * 20000,
        "bullets": "·   " * 30000,
        "preformatted": "<pre>\n" * 20000,
    }
    for number, (kind, page) in enumerate(pages.items()):
        for recipient, author in ((ROLE, STRANGER), (HANDOFF, PARTNER)):
            yield (
                f"html {kind}",
                recipient,
                _fields(recipient, author, 800 + number)
                + head
                + b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                + base64.encodebytes(page.encode()).replace(b"\n", b"\r\n"),
            )


def _partner_texts() -> Iterator[Mail]:
    """Texts that the readers of handoffs, answers and schedule mails would take to pieces."""
    texts = {
        "attributed": "schrieb " * 12500 + "\n> x",
        "attributions": "On Monday wrote " * 6000 + ":\n> x",
        "attribution lines": "On Monday, somebody\n" * 5000 + "wrote:\n> x",
        "le a écrit": "Le lundi a écrit " * 6000 + "\n> x",
        "greeting": "hi a" + "!" * 100000 + "x b c d e f",
        "greetings": "hi a b c d e\n" * 8000,
        "dear": "dear " + "a " * 50000,
        "closings": "Best regards\n" * 8000,
        "thanks": "thanks " * 15000,
        "from lines": "From: x\nSent: y\n" * 6000,
        "from only": "From: x\n" * 12000,
        "rules": "_" * 100000,
        "rule lines": "----------\n" * 9000,
        "dashes": "--\n" * 33000,
        "signatures": "-- \n" * 25000,
        "quotes": ">" * 100000,
        "quoted lines": "> a\n" * 25000,
        "original messages": "-----Original Message-----\n" * 4000,
        "headings": "Done: " * 16000,
        "heading lines": "Done:\nLeft:\nWatch:\n" * 5500,
        "stars": "*" * 100000,
        "hashes": "#" * 100000,
        "bullets": "- [ ] " * 16000,
        "spaces": "off today" + " " * 100000 + "x",
        "blank lines": "\n" * 100000 + "x",
        "blanks": " \n" * 50000 + "x",
        "footers": "unsubscribe\n" * 8000,
        "sent from": "Sent from my phone\n" * 5000,
        "yes": "yes " * 25000,
        "off": "off today and " * 7000,
        "days": "monday tuesday " * 6600,
        "until": "off until until " * 6200,
        "dates": "off 1/2/2027 " * 7600,
        "times": "off 9:00-10:00 " * 6600,
        "swaps": "swap with Elaine on Friday and " * 3200,
        "because": "off Friday because " * 5200,
        "brackets": "off Friday (" * 8000,
        "closed brackets": "off Friday (a) " * 6600,
        "names": "Laurie " * 14000,
        "apostrophes": "I'm I'm " * 12000,
        "numbers": "1" * 100000,
        "letters": "a" * 100000,
        "commas": "off today, " * 9000,
        "dots": "off today. " * 9000,
        "dots and spaces": ("off today." + " " * 400) * 250,
        "emoji": "\U0001f44d" * 25000,
        "joined emoji": "\U0001f468\u200d" * 14000,
        "marks": "a\u0301" * 33000,
        "half": "every second friday " * 5000,
        "undo": "undo " * 20000,
    }
    for number, (kind, text) in enumerate(texts.items()):
        for recipient in (HANDOFF, SCHEDULE):
            encoded = binascii.b2a_qp(text.encode(), istext=True).replace(b"\n", b"\r\n")
            yield (
                f"text {kind}",
                recipient,
                _fields(recipient, PARTNER, 900 + number)
                + b"Subject: off tomorrow\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                + encoded
                + b"\r\n",
            )
    long = "schrieb " * 175000 + "\n> x"
    yield (
        "text attributed, 1.4 MB",
        HANDOFF,
        _fields(HANDOFF, PARTNER, 990)
        + b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        + b"=\r\n".join(long.encode()[at : at + 70] for at in range(0, len(long), 70)).replace(
            b"=\r\n", b"\r\n"
        )
        + b"\r\n",
    )


def _partner_files() -> Iterator[Mail]:
    """Files that a partner might send, and a reader of YAML might never be done with."""
    start = "role: vp-hr@example.test\nname: VP Human Resources\n"
    files = {
        "unknown keys": start + "".join(f"kez{number}: 1\n" for number in range(5000)),
        "lists": start + "a: " + "[" * 50000,
        "maps": start + "a: " + "{a: " * 20000,
        "aliases": start + "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(2000)),
        "one line": start + "a: " + "x" * 100000,
        "quotes": start + 'a: "' + '\\"' * 40000,
        "indents": start + "".join(" " * depth + "a:\n" for depth in range(350)),
        "dashes": start + "- " * 40000,
        "absences": start
        + "absences:\n"
        + "".join("  - {partner: laurie, from: 2027-01-01, until: 2027-01-02}\n" for _ in range(3000)),
        "colons": start + "a:b:c:" * 15000,
        "hashes": start + "#" * 90000,
        "dates": start + "special_days:\n" + "".join("  2027-13-45: laurie\n" for _ in range(4000)),
        "nights": start + "rota:\n" + "".join(f"  monday{n}: laurie 22:00-06:00\n" for n in range(3000)),
    }
    for number, (kind, text) in enumerate(files.items()):
        yield (
            f"file {kind}",
            SCHEDULE,
            _fields(SCHEDULE, PARTNER, 1000 + number)
            + b"Subject: our schedule\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
            + b"--b\r\nContent-Type: text/plain\r\n\r\nsee file\r\n--b\r\n"
            + b'Content-Type: application/yaml; name="vp-hr.yaml"\r\n'
            + b'Content-Disposition: attachment; filename="vp-hr.yaml"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
            + base64.encodebytes(text.encode()).replace(b"\n", b"\r\n")
            + b"--b--\r\n",
        )


def _in_lines(piece: bytes, times: int) -> bytes:
    """``piece`` repeated, folded so that no line passes 900 octets."""
    row = max(1, 900 // len(piece))
    full, rest = divmod(times, row)
    return b"\r\n ".join([piece * row] * full + ([piece * rest] if rest else []))


def _wrapped(value: bytes) -> bytes:
    """``value`` folded anywhere, each line below 900 octets."""
    return b"\r\n ".join(value[at : at + 900] for at in range(0, len(value), 900))
