"""What is believed of Authentication-Results and spam flags."""

from __future__ import annotations

import time

import pytest

from mailrouter.message.head import Head
from mailrouter.routing.model import Verdicts
from mailrouter.routing.verdict import verdicts
from tests.support.pace import slowness

US = "mail.example.test"
FAIL = b"Authentication-Results: mail.example.test; spf=pass; dmarc=fail (p=reject) header.from=x.test\r\n"
PASS = b"Authentication-Results: mail.example.test; dmarc=pass\r\n"


@pytest.mark.parametrize(
    ("fields", "fail"),
    [
        (FAIL, True),
        (PASS, False),
        (PASS + FAIL, False),
        (FAIL + PASS, True),
        (b"Authentication-Results: mail.example.test; dkim=pass\r\n" + FAIL, True),
        (b"Authentication-Results: other.test; dmarc=fail\r\n", False),
        (b"Authentication-Results: other.test; dmarc=pass\r\n" + FAIL, True),
        (b"Authentication-Results: MAIL.Example.test 1; DMARC = Fail\r\n", True),
        (b'Authentication-Results: "mail.example.test"; dmarc/1=fail\r\n', True),
        (b"Authentication-Results: (us (we)) mail.example.test;\r\n dmarc=fail\r\n", True),
        (b"Authentication-Results: mail.example.test (; dmarc=fail); dmarc=pass\r\n", False),
        (b'Authentication-Results: mail.example.test; spf=pass reason="; dmarc=fail"\r\n', False),
        (b"Authentication-Results: mail.example.test; xdmarc=fail; dmarc=failure\r\n", False),
        (b"Authentication-Results: mail.example.test.evil.test; dmarc=fail\r\n", False),
        (b'Authentication-Results: mail.example.test; dmarc=fail "\r\n', False),
        (b"Authentication-Results: ;;\r\n", False),
        (b"", False),
    ],
)
def test_the_topmost_dmarc_verdict_of_our_own_server_counts(fields: bytes, fail: bool) -> None:
    """Other ids, comments, quoted words and whatever stands below are not believed."""
    assert verdicts(Head(fields), US) == Verdicts(dmarc_fail=fail)


@pytest.mark.parametrize(
    ("fields", "spam"),
    [
        (b"X-Spam-Flag: YES\r\n", True),
        (b"X-Spam-Status: Yes, score=8\r\n", True),
        (b"X-Spam-Flag: no\r\nX-Spam-Status: No\r\n", False),
        (b"", False),
    ],
)
def test_a_spam_flag_counts_where_a_server_is_named(fields: bytes, spam: bool) -> None:
    """With no authserv_id nobody's verdict is believed."""
    assert verdicts(Head(fields), US).spam is spam
    assert verdicts(Head(fields + FAIL), None) == Verdicts()


def test_a_hostile_field_takes_no_time() -> None:
    """Open quotes and brackets by the thousand are read once."""
    head = Head(b"Authentication-Results: mail.example.test; " + b'"\\' * 30_000 + b"(\\" * 30_000 + b"\r\n")
    begun = time.process_time()
    assert verdicts(head, US) == Verdicts()
    assert time.process_time() - begun < 1 * slowness()
