"""The contents of a mail to a schedule address: words, or a whole file, and which message of ours it answers. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mailrouter.message.dates import sent_at
from mailrouter.message.head import Head
from mailrouter.message.parts import Part
from mailrouter.routing.partner import schedule_notices
from mailrouter.routing.partner.handoff_text import Written, attached_file
from mailrouter.routing.partner.quoted_text import forwarded
from mailrouter.schedule.language.mail_lines import MOST_SUBJECT, own_subject

_YAML_NAME = re.compile(r"\.ya?ml(?:\.txt)?\Z", re.I)
_TEXT_NAME = re.compile(r"\.te?xt\Z", re.I)
_MOST_DATE = 200
_FILE_KEYS = ("role:", "partners:", "rota:")
MAX_FILE = 100_000
"""Characters of a role's file that comes by mail: ten years of a large team have less."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The request of a mail, as it is kept aside: words or a whole file, and the message of ours that it answers.

    ``subject`` is there only where it may be the writer's own request, ``sent`` is the moment of its Date (ISO 8601).
    """

    kind: Literal["words", "file"]
    text: str
    subject: str = ""
    answers: str = ""
    sent: str = ""
    merged: bool = False
    """Of a file: it was put together with what was changed since the text that it was made from."""

    @property
    def sent_at(self) -> datetime | None:
        """The moment at which it was written, None where that isn't known."""
        return datetime.fromisoformat(self.sent) if self.sent else None

    def kept(self) -> str:
        """As text."""
        return json.dumps(
            [self.kind, self.text, self.subject, self.answers, self.sent, self.merged], ensure_ascii=False
        )

    @classmethod
    def of(cls, kept: str) -> Asked:
        """From that text."""
        return cls(*json.loads(kept))


def asked_of(head: Head, parts: Sequence[Part], body: Written) -> Asked | Written:
    """The request in these leaves with this text; a problem where it can't be read."""
    known_file, known_change = _answered(head)
    file = attached_file(parts, _is_role_file)
    if file is not None:
        return file if file.problem else _file(file.text, known_file)
    if body.problem and not body.empty:
        return body
    if _looks_like_file(body.text):
        return _file(body.text, known_file)
    sent = sent_at((head.raw_value("date") or b"")[:_MOST_DATE].decode("ascii", "replace"))
    at = sent.isoformat() if sent else ""
    subject = (head.text("subject") or "")[: MOST_SUBJECT + 1]
    if forwarded(subject) and not body.quoted and not body.empty:
        return Written(
            problem="It was forwarded, so its text may be somebody else's. Write in a mail of your own what is to change."
        )
    own = body.bare and not body.quoted and not head.has("in-reply-to") and not head.has("references")
    return Asked("words", body.text, own_subject(subject) if own else "", known_change, at)


def _file(text: str, answers: str) -> Asked | Written:
    if len(text) > MAX_FILE:
        return Written(problem=f"The file is too large: by mail it may have {MAX_FILE:,} characters.")
    return Asked("file", text, answers=answers)


def _answered(head: Head) -> tuple[str, str]:
    """The text and the change that the mail answers; by the Message-IDs of ours that it names."""
    file = change = ""
    for named in (*head.references, *filter(None, [head.in_reply_to])):
        if found := schedule_notices.ANSWERED_FILE.match(named):
            file = found[1]
        if found := schedule_notices.ANSWERED_CHANGE.match(named):
            change = found[1]
    return file, change


def _is_role_file(name: str, text: str) -> bool:
    return bool(_YAML_NAME.search(name)) or (bool(_TEXT_NAME.search(name)) and _looks_like_file(text))


def _looks_like_file(text: str) -> bool:
    lines = text.splitlines()
    return all(any(line.startswith(key) for line in lines) for key in _FILE_KEYS)
