"""The text of a report of ours: what happened, to which role, and what to do next. Pure."""

from __future__ import annotations

import textwrap
from datetime import datetime

from mailrouter.message.dsn.undelivered import Action, Undelivered
from mailrouter.message.text.writing import safe_subject

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WIDTH = 72
_ADVICE = (
    ((".3.4", ".2.3"), "The mail seems to be too large. Please send it again without its attachments, or put "
     "them where they can be fetched."),
    ((".1.", ".2.1"), "Something is not right behind this address; those who look after it are told. "
     "Please get in touch in another way."),
    ((".7.",), "The mail was turned away by a rule about what may be sent. Please send a short, plain mail "
     "without attachments, or get in touch in another way."),
    ((".2.2",), "There was no room left for more mail. Please send it again in a day or two."),
    ((".6.",), "The form of the mail was not accepted. Please send it again as plain text."),
)  # fmt: skip
_LATER = "Please send it again a little later. If it comes back once more, get in touch in another way."
_OTHERWISE = "Please get in touch in another way; those who look after this address are told."

_LEADS: dict[Action, str] = {"failed": "Undelivered", "delayed": "Delayed", "expanded": "Passed on"}


def subject_line(role_name: str, action: Action) -> str:
    """The report's subject: what became of the mail, and to whom it was written."""
    return f"{_LEADS[action]}: your mail to {safe_subject(role_name, 80)}"


def human_text(news: Undelivered, subject: str, status: str, words: str) -> str:
    """The report's text, its times in the zone of ``news.arrived``.

    ``words`` are a remote server's, already without anything private.
    """
    role = f"{safe_subject(news.role_name, 80)} ({news.role_address})"
    about = f'Your mail "{safe_subject(subject, 120)}"' if subject.strip() else "Your mail"
    taken = f"which we took on {spoken(news.arrived)},"
    if news.action == "expanded":
        paragraphs = [
            f"{about} to {role}, {taken} was passed on to everybody who shares this address.",
            "You get this report because your mail asked for one. It does not say that the mail was read.",
        ]
    elif news.retry_until:
        until = news.retry_until.astimezone(news.arrived.tzinfo)
        paragraphs = [
            f"{about} to {role}, {taken} has not been delivered yet.",
            f"There is nothing that you need to do. We keep trying until {spoken(until)}, and we write "
            "to you again if it does not arrive by then.",
        ]
    else:
        paragraphs = [
            f"{about} to {role}, {taken} could not be delivered. We are sorry about that.",
            f"Nobody behind this address has it, so please don't wait for an answer. {advice(status)}",
        ]
    if words:
        paragraphs.append("What the mail servers say about it:")
        paragraphs.append(textwrap.indent(_filled(words, _WIDTH - 2), "  "))
    paragraphs.append(
        "This report was written by a program. The header of your mail comes with it, for those who look "
        "after your mail."
    )
    return "\n\n".join(["Hello,", *(p if p.startswith("  ") else _filled(p) for p in paragraphs)]) + "\n"


def advice(status: str) -> str:
    """The advice to a sender, by the status code (RFC 3463 §3)."""
    for details, what in _ADVICE:
        if any(status[1:].startswith(detail) for detail in details):
            return what
    return _LATER if status.startswith("4") else _OTHERWISE


def spoken(moment: datetime) -> str:
    """A moment as people say it, with its offset from UTC: ``3 March 2026 at 10:00 (UTC+01:00)``."""
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("a moment that people read needs its time zone")
    minutes = int(offset.total_seconds() // 60)
    zone = (
        f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
        if minutes
        else "UTC"
    )
    day = f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
    return f"{day} at {moment.hour:02}:{moment.minute:02} ({zone})"


def _filled(paragraph: str, width: int = _WIDTH) -> str:
    return textwrap.fill(paragraph, width, break_long_words=False, break_on_hyphens=False)
