"""The mail and the news that the tests on reports of ours start from."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from mailrouter.message.dsn.compose import compose_dsn
from mailrouter.message.dsn.undelivered import Undelivered
from mailrouter.message.pieces import render
from tests.message.real_mail import scan, to_crlf

LAURIE, ELAINE = "laurie.cremona@mail.home.test", "em@corp.test"
PRIVATE = (LAURIE, ELAINE, "Laurie Cremona", "Elaine")
CET = timezone(timedelta(hours=1))

ORIGINAL = to_crlf(b"""\
Received: from client.b.test ([192.0.2.7]) by mx.b.test; Tue, 03 Mar 2026 08:59:58 +0000
From: Jane Doe <jane@b.test>
To: VP HR <vp-hr@example.test>
Subject: Budget for =?utf-8?q?M=C3=A4rz?=
Message-ID: <1@b.test>
Date: Tue, 03 Mar 2026 09:59:57 +0100
MIME-Version: 1.0
Content-Type: text/plain

The secret body.
""")

NEWS = Undelivered(
    role_address="vp-hr@example.test",
    role_name="VP Human Resources",
    reverse_path="jane@b.test",
    hostname="mx.example.test",
    moment=datetime(2026, 3, 3, 11, 0, tzinfo=CET),
    arrived=datetime(2026, 3, 3, 10, 0, tzinfo=CET),
    seed=b"seed" * 4,
    status="5.1.1",
    diagnostic=f"550 5.1.1 <{LAURIE}>: Recipient address rejected: no user laurie.cremona at mx.home.test",
    private=PRIVATE,
    envid="QQ314159+2B1",
    orcpt="rfc822;VP-HR+40example.test",
)
DELAYED: dict[str, Any] = {
    "status": "4.4.1",
    "diagnostic": "connect to mx.home.test[198.51.100.3]: Connection timed out",
    "retry_until": datetime(2026, 3, 8, 9, 0, tzinfo=UTC),
}


def report(original: bytes = ORIGINAL, **changes: Any) -> bytes:
    """The whole report on this mail, with some of the news changed."""
    head, shape = scan(original)
    return render(compose_dsn(dataclasses.replace(NEWS, **changes), head, shape), {0: original})
