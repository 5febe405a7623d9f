"""Ordinary mail that people write to a role, with the traits that a careless rule takes for a program's."""

from __future__ import annotations

PLAIN = "Message-ID: <1@example.net>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"


def _mail(
    sender: str, subject: str, more: str = "", body: str = "Hello,\r\n\r\nplease see above.\r\n"
) -> bytes:
    head = f"From: {sender}\r\nTo: VP HR <vp-hr@example.test>\r\nSubject: {subject}\r\n{more or PLAIN}"
    return head.encode() + b"\r\n" + body.encode()


_PARTS = (
    "Fine with me.\r\n--b\r\nContent-Type: text/plain\r\n\r\nHi\r\n--b\r\n"
    "Content-Type: %s\r\n\r\nSubject: x\r\n\r\ntext\r\n--b--\r\n"
)
_MIXED = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"

HUMAN: dict[str, tuple[str, bytes]] = {
    "a plain question": ("jane@example.net", _mail("Jane Doe <jane@example.net>", "Vacation days left?")),
    "no display name": ("jane@example.net", _mail("jane@example.net", "hi")),
    "an answer in a thread": ("jane@example.net", _mail("Jane <jane@example.net>", "Re: Re: Budget")),
    "no subject": (
        "jane@example.net",
        b"From: Jane <jane@example.net>\r\nTo: vp-hr@example.test\r\n\r\nHi\r\n",
    ),
    "no header but From": ("jane@example.net", b"From: jane@example.net\r\n\r\nHi\r\n"),
    "written on a phone": (
        "j@example.net",
        _mail("J <j@example.net>", "Sick today", PLAIN + "X-Mailer: iPhone Mail (20B82)\r\n"),
    ),
    "says that no program wrote it": (
        "j@example.net",
        _mail("J <j@example.net>", "x", PLAIN + "Auto-Submitted: no (really)\r\n"),
    ),
    "first-class precedence": (
        "j@example.net",
        _mail("J <j@example.net>", "x", PLAIN + "Precedence: first-class\r\n"),
    ),
    "normal precedence": ("j@example.net", _mail("J <j@example.net>", "x", PLAIN + "Precedence: normal\r\n")),
    "wants a read receipt": (
        "j@example.net",
        _mail("J <j@example.net>", "x", PLAIN + "Disposition-Notification-To: j@example.net\r\n"),
    ),
    "refuses read receipts only": (
        "j@example.net",
        _mail("J <j@example.net>", "x", PLAIN + "X-Auto-Response-Suppress: DR, RN, NRN\r\n"),
    ),
    "high priority": (
        "j@example.net",
        _mail("J <j@example.net>", "URGENT", PLAIN + "X-Priority: 1\r\nImportance: high\r\n"),
    ),
    "through Exchange": (
        "j@example.net",
        _mail(
            "J <j@example.net>",
            "x",
            PLAIN + "X-MS-Has-Attach: yes\r\nX-MS-TNEF-Correlator:\r\nThread-Topic: x\r\n",
        ),
    ),
    "scanned for viruses": (
        "j@example.net",
        _mail("J <j@example.net>", "x", PLAIN + "X-Virus-Scanned: amavis\r\nX-Spam-Status: No\r\n"),
    ),
    "another Reply-To": (
        "j@example.net",
        _mail("J <j@example.net>", "x", PLAIN + "Reply-To: team@example.net\r\n"),
    ),
    "sent by an assistant": (
        "k@example.net",
        _mail("J <j@example.net>", "x", PLAIN + "Sender: Kim <k@example.net>\r\n"),
    ),
    "a bounce tag of BATV": ("prvs=12345abcde=jane@example.net", _mail("Jane <jane@example.net>", "x")),
    "forwarded with SRS": (
        "SRS0=abcd=XY=example.net=jane@forward.test",
        _mail("Jane <jane@example.net>", "x"),
    ),
    "an umlaut in the name": (
        "j@example.net",
        _mail("=?utf-8?q?J=C3=B6rg?= <j@example.net>", "=?utf-8?q?=C3=9Cbergabe?="),
    ),
    "raw 8-bit in the header": ("j@example.net", _mail("Jörg <j@example.net>", "Übergabe")),
    "Japanese": ("j@example.net", _mail("J <j@example.net>", "=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=")),
    "Auto is the German car": ("j@example.net", _mail("J <j@example.net>", "Auto: wann ist die Übergabe?")),
    "out of office as a topic": (
        "j@example.net",
        _mail("J <j@example.net>", "Out of office next week, who covers?"),
    ),
    "automatic as a topic": ("j@example.net", _mail("J <j@example.net>", "Automatic renewal of my contract")),
    "delivery as a topic": (
        "j@example.net",
        _mail("J <j@example.net>", "Delivery status of the new laptops"),
    ),
    "a late delivery": ("j@example.net", _mail("J <j@example.net>", "Delivery delayed: desks for Berlin")),
    "failure as a topic": (
        "j@example.net",
        _mail("J <j@example.net>", "Failure notice period in the draft contract"),
    ),
    "returned mail as a topic": (
        "j@example.net",
        _mail("J <j@example.net>", "Returned mail from the tax office"),
    ),
    "talks about a bounce": ("j@example.net", _mail("J <j@example.net>", "Re: Undeliverable: your invoice")),
    "forwards a bounce as an attachment": (
        "j@example.net",
        _mail(
            "J <j@example.net>", "Fwd: Undelivered Mail Returned to Sender", _MIXED, _PARTS % "message/rfc822"
        ),
    ),
    "forwards a message with a report inside": (
        "j@example.net",
        _mail(
            "J <j@example.net>",
            "What does this mean?",
            _MIXED,
            "--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/report; boundary=c\r\n\r\n"
            "--c\r\nContent-Type: message/delivery-status\r\n\r\nx: y\r\n--c--\r\n--b--\r\n",
        ),
    ),
    "an invitation": (
        "j@example.net",
        _mail("J <j@example.net>", "Offsite", _MIXED, _PARTS % "text/calendar; method=REQUEST"),
    ),
    "an Outlook attachment": (
        "j@example.net",
        _mail("J <j@example.net>", "x", _MIXED, _PARTS % "application/ms-tnef"),
    ),
    "signed": (
        "j@example.net",
        _mail(
            "J <j@example.net>",
            "x",
            "Content-Type: multipart/signed; boundary=b\r\n",
            _PARTS % "application/pgp-signature",
        ),
    ),
    "encrypted": (
        "j@example.net",
        _mail(
            "J <j@example.net>",
            "x",
            "Content-Type: multipart/encrypted; boundary=b\r\n",
            _PARTS % "application/octet-stream",
        ),
    ),
    "a name like a list's": ("hr-requests@example.net", _mail("HR <hr-requests@example.net>", "x")),
    "a name like no-reply": ("nora.reply@example.net", _mail("Nora Reply <nora.reply@example.net>", "x")),
    "a name like a bounce": ("b.ounce@example.net", _mail("Barbara Ounce <b.ounce@example.net>", "x")),
    "a name like an owner": ("s.bowner@example.net", _mail("S. Bowner <s.bowner@example.net>", "x")),
    "a name like a daemon": ("damon@example.net", _mail("Damon <damon@example.net>", "x")),
    "a name like a mailer": (
        "norman.mailer@example.net",
        _mail("Norman Mailer <norman.mailer@example.net>", "x"),
    ),
    "a plus address": ("jane+hr@example.net", _mail("Jane <jane+hr@example.net>", "x")),
    "a quoted local part": ('"jane doe"@example.net', _mail('Jane <"jane doe"@example.net>', "x")),
    "broken MIME": ("j@example.net", _mail("J <j@example.net>", "x", "Content-Type: multipart/mixed\r\n")),
    "an mbox line on top": (
        "j@example.net",
        b"From j@example.net Tue Mar  3 10:00:00 2026\r\n" + _mail("J <j@example.net>", "x"),
    ),
}
