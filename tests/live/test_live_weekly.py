"""The weekly mail: to whom it is for, once a week, with names and hours alone."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

from mailrouter.message import pieces
from mailrouter.moments import milliseconds
from mailrouter.schedule.model import Role, Weekly
from mailrouter.service.weekly_mail import send_due
from tests.intake.services import desk, service
from tests.routing.situations import role
from tests.schedule.roles import CARMEN, ELAINE, LAURIE, at

WEEKLY = Weekly(("sue@example.test", "team@example.test"))
AWAY = "away elaine 2026-12-10 cover pat"
OFFICE = role(AWAY, weekly=WEEKLY)
FRIDAY = at(OFFICE, "2026-12-04 15:00")


async def queued_at(folder: Path, moment: datetime, of: Role = OFFICE) -> list[bytes]:
    """What is queued at this moment, by a service that starts just then."""
    async with service(folder, desk(of), moment) as running:
        await send_due(running.context, running.store)
        due = await running.store.claim(10, milliseconds(moment))
        before = [d for d in due if d.created_at < milliseconds(moment)]
        return [
            b"".join(p for p in pieces.decode(d.pieces) if isinstance(p, bytes))
            for d in due
            if d not in before
        ]


async def test_it_goes_once_a_week_over_restarts(tmp_path: Path) -> None:
    """Not for a moment that had passed when it was set; at its hour, once, and a week later again."""
    day = timedelta(days=1)
    assert await queued_at(tmp_path, FRIDAY - day) == []
    assert await queued_at(tmp_path, FRIDAY - timedelta(seconds=1)) == []
    assert len(await queued_at(tmp_path, FRIDAY)) == 2
    for later in (timedelta(seconds=1), timedelta(hours=1), 3 * day, 7 * day - timedelta(seconds=1)):
        assert await queued_at(tmp_path, FRIDAY + later) == []
    assert len(await queued_at(tmp_path, FRIDAY + 7 * day + timedelta(hours=20))) == 2


async def test_it_knows_former_partners_and_those_to_come(tmp_path: Path) -> None:
    """The rota may name both: a former one has no hours, and one who begins next week stands in that week's mail."""
    partners = (
        replace(LAURIE, until=datetime(2026, 12, 8).date()),
        replace(ELAINE, until=datetime(2026, 12, 1).date()),
        replace(CARMEN, since=datetime(2026, 12, 10).date()),
    )
    of = role("rota mon laurie, tue elaine, wed laurie, thu carmen", weekly=WEEKLY, partners=partners)
    await queued_at(tmp_path, FRIDAY - timedelta(days=1), of)
    said = (await queued_at(tmp_path, FRIDAY, of))[0].decode()
    assert "Mon 7 Dec: Laurie" in said
    assert "Thu 10 Dec: Carmen" in said
    assert "Elaine" not in said


async def test_what_is_more_than_a_day_late_is_left_out(tmp_path: Path) -> None:
    """The next one is sent."""
    await queued_at(tmp_path, FRIDAY - timedelta(days=1))
    assert await queued_at(tmp_path, FRIDAY + timedelta(days=2)) == []
    assert len(await queued_at(tmp_path, FRIDAY + timedelta(days=7))) == 2


async def test_what_it_says(tmp_path: Path) -> None:
    """Who is in on the seven days to come, from the role, readable on a phone; no reasons, no notes, no addresses of
    partners; and nothing answers it."""
    noted = role(AWAY, weekly=WEEKLY)
    await queued_at(tmp_path, FRIDAY - timedelta(days=1), noted)
    first, _ = await queued_at(tmp_path, FRIDAY, noted)
    message = email.message_from_bytes(first, policy=email.policy.default)
    assert message["from"].addresses[0].addr_spec == "vp-hr@example.test"
    assert message["to"].addresses[0].addr_spec == "sue@example.test"
    assert message["subject"] == "Who is in as VP Human Resources: Sat 5 Dec to Fri 11 Dec"
    assert message["auto-submitted"] == "auto-generated"
    text = message.get_content().replace("\r\n", "\n")
    assert text == (
        "Who is in as VP Human Resources:\n\n"
        "Mon 7 Dec: Laurie\nTue 8 Dec: Laurie\nWed 9 Dec: Laurie 09:00-13:00, Elaine 12:00-17:00\n"
        "Thu 10 Dec: Pat\nFri 11 Dec: Elaine\n\n"
        "Times of America/Los_Angeles.\nWrite to vp-hr@example.test: it reaches all of us.\n"
    )
    for private in (b"laurie@", b"elaine@", b"pat@", b"away", b"Received"):
        assert private not in first


async def test_a_role_without_it_sends_none(tmp_path: Path) -> None:
    """That is the default."""
    for moment in (FRIDAY - timedelta(days=1), FRIDAY):
        assert await queued_at(tmp_path, moment, role()) == []


async def test_a_picture_of_the_month_where_it_is_wanted(tmp_path: Path) -> None:
    """Attached, as a picture, with who is in and no word of why somebody is not."""
    pictured = role(AWAY, weekly=replace(WEEKLY, picture=True))
    await queued_at(tmp_path, FRIDAY - timedelta(days=1), pictured)
    first, _ = await queued_at(tmp_path, FRIDAY, pictured)
    message = email.message_from_bytes(first, policy=email.policy.default)
    text, picture = message.iter_parts()
    assert "Thu 10 Dec: Pat" in text.get_content()
    assert picture.get_content_type() == "image/svg+xml"
    assert picture.get_filename() == "vp-hr 2026-12.svg"
    drawn = ElementTree.fromstring(picture.get_content())
    said = " ".join(drawn.itertext())
    assert "VP Human Resources, December 2026" in said
    assert "Thursday 10 December: Pat" in said
    assert "away" not in said
    assert "example.test" not in said
