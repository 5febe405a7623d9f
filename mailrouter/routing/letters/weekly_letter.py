"""The weekly mail about who is in, for colleagues: names and hours, no reasons. Pure."""

from __future__ import annotations

from datetime import datetime

from mailrouter.message import compose
from mailrouter.message.pieces import Pieces
from mailrouter.message.text import writing
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.routing.letters.letter import dated
from mailrouter.routing.letters.own_mail import AUTOMATIC, role_marks
from mailrouter.routing.model import Situation
from mailrouter.schedule.date_words import short_date
from mailrouter.schedule.model import Weekly
from mailrouter.schedule.views.diff import week_lines
from mailrouter.schedule.views.svg import month_picture
from mailrouter.schedule.views.weekly import days_told


def weekly_letter(situation: Situation, weekly: Weekly, to: str, due: datetime) -> Pieces:
    """The mail to one colleague; it comes from the role, so that an answer reaches both partners."""
    role = situation.schedule  # the week told of may be one of partners to come
    first, last = days_told(weekly, role.time_zone, due)
    facts = {
        "role": role.name,
        "role_address": role.address,
        "lines": week_lines(role, first, last),
        "zone": role.time_zone.key,
    }
    words = situation.wording.notice("weekly", facts)
    subject = f"Who is in as {role.name}: {short_date(first)} to {short_date(last)}"
    headers = b"".join(
        (
            role_marks(situation.loop_mark, role.address),
            writing.address_field("From", [Mailbox(role.name, role.address)]),
            writing.address_field("To", [Mailbox("", to)]),
            writing.field("Subject", writing.safe_subject(subject)),
            *dated(situation, f"weekly {role.key} {to}"),
            AUTOMATIC,
            b"Precedence: bulk\r\n",
        )
    )
    parts = [compose.note_part(words)]
    if weekly.picture:
        picture = month_picture(role, first, reasons=False)
        name = f"{role.key} {first:%Y-%m}.svg"
        parts.append(compose.picture_part(picture.encode(), "image/svg+xml", name))
    return compose.fresh(headers, parts, boundary=compose.choose_boundary(situation.seed))
