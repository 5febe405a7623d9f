"""A partner's own calendar: where it is, and which of its events are absences."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, model_validator

from mailrouter.config.files.fields import Lines, line_of_text, listed, reads, reads_with
from mailrouter.config.files.rota_file import partner_key
from mailrouter.config.values.addresses import host_name
from mailrouter.config.values.errors import Wrong, did_you_mean, shown
from mailrouter.schedule.model import CalendarSource

WORDS = ("out-of-office", "busy", "all-day")
"""The rules of one word; those of two begin with one of ``NAMING``."""
NAMING = ("category", "title")
_RULES = "it is out-of-office, busy, all-day, category NAME or title TEXT"


def calendar_url(text: str) -> str:
    """An address a calendar can be fetched from. Raises Wrong, without a word of the address: it is a secret."""
    written = "https" + text[6:] if text.lower().startswith("webcal:") else text
    try:
        parts = urlsplit(written)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("https", "http") or not written.isascii() or " " in written:
        raise Wrong("this is not the address of a calendar", "write it as https://…; %20 stands for a space")
    if parts.username is not None:
        raise Wrong("logging in to a calendar's server is not available", "use the calendar's secret address")
    return written


def feeds_url(text: str) -> str:
    """Under what the feeds are reached, without a slash at the end. Raises Wrong."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("https", "http") and parts.hostname and not (parts.query or parts.fragment)
    except ValueError:
        good = None
    if not good or not text.isascii() or " " in text:
        raise Wrong(f"{shown(text)} is not a web address", "write it as https://mail.example.com/calendar")
    return text.rstrip("/")


def calendar_host(text: str) -> str:
    """A host's name or IP address, without a port. Raises Wrong."""
    bare = text.strip("[]")
    try:
        return str(ip_address(bare))
    except ValueError:
        return host_name(text)


def _absent_when(text: str) -> str:
    kind, _, name = text.strip().partition(" ")
    if text in WORDS:
        return text
    if kind in NAMING:
        if name.strip():
            return f"{kind} {name.strip()}"
        raise Wrong(f"`{kind}` needs a name behind it", f"as in {kind} Vacation")
    hint = did_you_mean(kind, (*WORDS, *NAMING))
    raise Wrong(f"`{shown(text)}` is not known here", f"{hint} {_RULES}" if hint else _RULES)


class CalendarFile(Lines):
    """One of ``file`` and ``url``, and the rule."""

    file: Annotated[str, reads(line_of_text)] = ""
    url: Annotated[str, reads(calendar_url)] = ""
    absent_when: Annotated[tuple[Annotated[str, reads(_absent_when)], ...], BeforeValidator(listed)] = (
        "out-of-office",
    )
    cover: Annotated[str, reads_with(partner_key)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_place(cls, data: Any) -> Any:
        if isinstance(data, dict) and ("file" in data) == ("url" in data):
            what = (
                "a calendar is a file or a url, not both" if "file" in data else "the calendar is not named"
            )
            raise Wrong(what, "write file: elaine.ics, or url: https://…")
        return data

    def facts(self) -> CalendarSource:
        """As the schedule has it."""
        return CalendarSource(self.file, self.url, self.absent_when, self.cover)
