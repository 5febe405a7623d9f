"""What a trusted mail server before us wrote about the message (RFC 8601). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailrouter.message.head import Head
from mailrouter.routing.model import Verdicts
from mailrouter.routing.quoting import outside

_DMARC = re.compile(r";\s*dmarc\s*(?:/\s*\d+\s*)?=\s*([a-z]+)")
_HEADER_FROM = re.compile(r"\bheader\s*\.\s*from\s*=\s*(\S*)")


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


def dmarc_pass(head: Head, authserv_id: str | None, domain: str) -> bool:
    """Whether our mail server found that this mail's From is of ``domain``, whoever else says so.

    Stricter than ``verdicts``, since it lets somebody in: only the topmost field of that authserv-id counts,
    and where it names the domain that it looked at (``header.from``), that has to be this one.
    """
    if not authserv_id:
        return False
    results = next(_results(head, authserv_id.lower()), "").split(";")[1:]
    found = [result for result in results if _DMARC.match(f";{result}")]
    if not found or any(said[1] != "pass" for result in found if (said := _DMARC.match(f";{result}"))):
        return False
    looked_at = [name for result in found for name in _HEADER_FROM.findall(result)]
    return all(name == domain.lower() for name in looked_at)


def _dmarc(head: Head, authserv_id: str) -> str:
    for said in _results(head, authserv_id):
        if result := _DMARC.search(said):
            return result[1]
    return ""


def _results(head: Head, authserv_id: str) -> Iterator[str]:
    """What each Authentication-Results field of this authserv-id says, topmost first, in lower case."""
    if not head.has("authentication-results"):
        return
    for value in head.all_text("authentication-results"):
        said = outside(value.lower(), quotes=True)
        if said is None and value.lower().lstrip(' "').startswith(authserv_id):
            yield ""  # it may be our server's, so nothing below it counts in its place
        # The authserv-id, which may be a quoted string, and perhaps a version (RFC 8601 §2.2).
        name = said.partition(";")[0].split()[:1] if said else []
        if [word.strip('"') for word in name] == [authserv_id]:
            yield outside(value.lower()) or ""
