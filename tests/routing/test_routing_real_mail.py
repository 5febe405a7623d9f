"""Every real message of the corpus, planned with all there is to say."""

from __future__ import annotations

import pytest

from mailrouter.message.pieces import decode, encode
from mailrouter.routing.plan import plan
from tests.message.real_mail import CORPUS, WHY_SKIPPED, real_mails, scan
from tests.routing.situations import AWAY, HANDOFF, STAND_IN, octets, role, situation

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CORPUS.is_dir(), reason=WHY_SKIPPED)]


def test_real_mail_reaches_everybody_with_its_body_intact() -> None:
    """Both partners get each message, octet for octet, and a stand-in never the handoff."""
    for text in (AWAY, STAND_IN):
        facts = situation(role(text, reply_inside="absence", reply_outside="absence"), handoff=HANDOFF)
        for mail in real_mails():
            head, shape = scan(mail.raw)
            found = plan(head, shape, [facts])
            assert [c.recipient for c in found.copies][:2] == [
                "laurie@example.test",
                "elaine@example.test",
            ], mail.file
            for copy in found.copies:
                sent = octets(copy.pieces, mail.raw)
                assert mail.raw[shape.body_start :] in sent, mail.file
                assert decode(encode(copy.pieces)) == copy.pieces
                if copy.companion is not None:
                    assert sent.endswith(mail.raw), mail.file
                if copy.recipient.startswith("pat"):
                    assert copy.handoffs == ()
