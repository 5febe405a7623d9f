"""What a trusted mail server before us wrote about the message (RFC 8601). Pure."""

from __future__ import annotations

import re

from mailrouter.message.head import Head
from mailrouter.routing.model import Verdicts
from mailrouter.routing.quoting import outside

_DMARC = re.compile(r";\s*dmarc\s*(?:/\s*\d+\s*)?=\s*([a-z]+)")


def verdicts(head: Head, authserv_id: str | None) -> Verdicts:
    """The spam and DMARC verdicts, believed only where ``authserv_id`` is configured.

    Of Authentication-Results only the fields of that very authserv-id count, and of those the topmost that
    names DMARC: whatever stands below may have been written by the sender (RFC 8601 §5).
    """
    if not authserv_id:
        return Verdicts()
    flag = (head.text("x-spam-flag") or "").lower()
    status = (head.text("x-spam-status") or "").lower()
    spam = flag.startswith("yes") or status.startswith("yes")
    return Verdicts(spam=spam, dmarc_fail=_dmarc(head, authserv_id.lower()) == "fail")


def _dmarc(head: Head, authserv_id: str) -> str:
    if not head.has("authentication-results"):
        return ""
    for value in head.all_text("authentication-results"):
        said = outside(value.lower(), quotes=True)
        # The authserv-id, which may be a quoted string, and perhaps a version (RFC 8601 §2.2).
        name = said.partition(";")[0].split()[:1] if said else []
        if [word.strip('"') for word in name] != [authserv_id]:
            continue
        if result := _DMARC.search(outside(value.lower()) or ""):
            return result[1]
    return ""
