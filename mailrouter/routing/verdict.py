"""What a trusted mail server before us wrote about the message (RFC 8601). Pure."""

from __future__ import annotations

import re

from mailrouter.message.head import Head
from mailrouter.routing.model import Verdicts

_COMMENT = re.compile(r"\([^()]*\)")
_DMARC_FAIL = re.compile(r";\s*dmarc\s*=\s*fail\b")


def verdicts(head: Head, authserv_id: str | None) -> Verdicts:
    """The spam and DMARC verdicts, believed only where ``authserv_id`` is configured.

    Of Authentication-Results only the fields of that very authserv-id count, and of those the topmost: whatever
    stands below may have been written by the sender (RFC 8601 §5).
    """
    if not authserv_id:
        return Verdicts()
    failed = False
    for value in head.all_text("authentication-results"):
        plain = _COMMENT.sub(" ", value.lower())
        if plain.partition(";")[0].split()[:1] == [authserv_id.lower()]:
            failed = bool(_DMARC_FAIL.search(plain))
            break
    flag = (head.text("x-spam-flag") or "").strip().lower()
    status = (head.text("x-spam-status") or "").strip().lower()
    return Verdicts(spam=flag.startswith("yes") or status.startswith("yes"), dmarc_fail=failed)
