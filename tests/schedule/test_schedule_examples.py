"""The schedule by example: what the partners wrote, a moment, who is on duty and why.

The role is Laurie's on Monday and Tuesday, Elaine's on Thursday and Friday, 09:00 to 17:00 in Los Angeles; on
Wednesday Laurie has 09:00 to 13:00 and Elaine 12:00 to 17:00. December 2026 begins on a Tuesday.
"""
# ruff: noqa: E501 (a row of a table stays one line)

from __future__ import annotations

import pytest

from mailrouter.schedule.date_words import joined
from mailrouter.schedule.duty import Roster
from mailrouter.schedule.timeline import timeline
from tests.schedule.roles import at, role_of

ROTA = """
                                      | 2026-11-30 09:00 | Laurie            | Monday: Laurie by the rota
                                      | 2026-11-30 08:59 | nobody            | outside hours
                                      | 2026-11-30 16:59 | Laurie            |
                                      | 2026-11-30 17:00 | nobody            | outside hours
                                      | 2026-12-02 11:59 | Laurie            |
                                      | 2026-12-02 12:00 | Laurie and Elaine | Wednesday: Laurie and Elaine by the rota
                                      | 2026-12-02 13:00 | Elaine            |
                                      | 2026-12-05 12:00 | nobody            | outside hours
                                      | 2028-02-29 10:00 | Laurie            | Tuesday: Laurie by the rota
rota mon laurie, mon elaine           | 2026-11-30 10:00 | Laurie and Elaine |
rota mon elaine, mon laurie           | 2026-11-30 10:00 | Laurie and Elaine |
partners laurie; rota mon laurie      | 2026-11-30 10:00 | Laurie            |
rota sun laurie 22:00-06:00           | 2026-12-06 23:00 | Laurie            | Sunday: Laurie by the rota
rota sun laurie 22:00-06:00           | 2026-12-07 05:59 | Laurie            | Sunday: Laurie by the rota
rota sun laurie 22:00-06:00           | 2026-12-07 06:00 | nobody            |
rota sun laurie 22:00-06:00           | 2026-12-06 05:00 | nobody            |
rota mon laurie 00:00-24:00           | 2026-11-30 00:00 | Laurie            |
rota mon laurie 00:00-24:00           | 2026-12-01 00:00 | nobody            |
"""

WEEKS = """
weeks 2026-01-05 mon laurie / mon elaine               | 2026-01-05 10:00 | Laurie |
weeks 2026-01-05 mon laurie / mon elaine               | 2026-01-12 10:00 | Elaine |
weeks 2026-01-07 mon laurie / mon elaine               | 2026-01-05 10:00 | Laurie |
weeks 2026-01-11 mon laurie / mon elaine               | 2026-01-12 10:00 | Elaine |
weeks 2026-01-05 mon laurie / mon elaine               | 2025-12-29 10:00 | Elaine |
weeks 2026-01-05 mon laurie / mon elaine               | 2025-12-22 10:00 | Laurie |
weeks 2026-01-05 mon laurie / mon elaine               | 2026-12-28 10:00 | Elaine |
weeks 2026-01-05 mon laurie / mon elaine               | 2027-01-04 10:00 | Laurie |
weeks 2026-01-05 mon laurie / mon elaine               | 2027-01-11 10:00 | Elaine |
weeks 2026-01-05 mon laurie / mon elaine / tue laurie  | 2026-01-20 10:00 | Laurie |
weeks 2026-01-05 mon laurie / mon elaine / tue laurie  | 2025-12-30 10:00 | Laurie |
weeks 2026-01-05 sun laurie 22:00-06:00 / mon elaine   | 2026-01-12 05:00 | Laurie | Sunday: Laurie by the rota
"""

HOLIDAYS = """
holidays US CA                                     | 2026-12-25 10:00 | nobody | holiday: Christmas Day
holidays US CA                                     | 2026-12-25 18:00 | nobody | outside hours
holidays US; never 2026-12-25                      | 2026-12-25 10:00 | Elaine | Friday: Elaine by the rota
holidays US; also 2026-12-24 Christmas Eve         | 2026-12-24 10:00 | nobody | holiday: Christmas Eve
holidays elaine US                                 | 2026-12-25 10:00 | nobody | holiday: Christmas Day
holidays laurie US                                 | 2026-12-25 10:00 | Elaine | Friday: Elaine by the rota
holidays US; holidays elaine DE                    | 2026-11-26 10:00 | Elaine | Thursday: Elaine by the rota
holidays elaine US; rota fri laurie, fri elaine    | 2026-12-25 10:00 | Laurie | Friday: Laurie by the rota; holiday for Elaine: Christmas Day
holidays US; rota thu laurie 22:00-06:00           | 2026-12-24 23:00 | Laurie | Thursday: Laurie by the rota
holidays US; rota thu laurie 22:00-06:00           | 2026-12-25 00:00 | Laurie | Thursday: Laurie by the rota
"""

SWAPS = """
swap 2026-12-03 laurie for 2026-12-08              | 2026-12-03 10:00 | Laurie | swap: Laurie instead of Elaine
swap 2026-12-03 laurie for 2026-12-08              | 2026-12-08 10:00 | Elaine | swap: Elaine instead of Laurie, in return for Thursday 3 December
swap 2026-12-03 laurie for 2026-12-08              | 2026-12-10 10:00 | Elaine | Thursday: Elaine by the rota
swap 2026-12-03 laurie                             | 2026-12-03 10:00 | Laurie | swap: Laurie instead of Elaine
swap 2026-12-03 laurie                             | 2026-12-08 10:00 | Laurie | Tuesday: Laurie by the rota
swap 2026-12-03 laurie 12:00-14:00                 | 2026-12-03 11:59 | Elaine | Thursday: Elaine by the rota
swap 2026-12-03 laurie 12:00-14:00                 | 2026-12-03 12:00 | Laurie | swap: Laurie instead of Elaine
swap 2026-12-03 laurie 12:00-14:00                 | 2026-12-03 14:00 | Elaine | Thursday: Elaine by the rota
swap 2026-12-02 laurie                             | 2026-12-02 12:30 | Laurie | swap: Laurie without Elaine
swap 2026-12-02 laurie                             | 2026-12-02 10:00 | Laurie | Wednesday: Laurie by the rota
swap 2026-12-05 laurie                             | 2026-12-05 10:00 | Laurie | swap: Laurie
swap 2026-12-05 laurie                             | 2026-12-05 17:00 | nobody | outside hours
swap 2026-12-03 laurie for 2026-12-09              | 2026-12-09 10:00 | Elaine |
swap 2026-12-03 laurie for 2026-12-09              | 2026-12-09 12:30 | Elaine | swap: without Laurie, in return for Thursday 3 December; Wednesday: Elaine by the rota
swap 2026-12-03 laurie for 2026-12-10              | 2026-12-10 10:00 | Elaine | Thursday: Elaine by the rota
swap 2026-12-05 laurie for 2026-12-08              | 2026-12-08 10:00 | Elaine |
swap 2026-12-05 laurie for 2026-12-08; partners laurie; rota tue laurie | 2026-12-08 10:00 | Laurie | Tuesday: Laurie by the rota
swap 2026-12-03 laurie for 2026-12-08; swap 2026-12-15 elaine for 2026-12-08 | 2026-12-08 10:00 | Laurie |
swap 2026-12-03 laurie; swap 2026-12-03 elaine     | 2026-12-03 10:00 | Elaine | swap: Elaine instead of Laurie
swap 2026-12-25 laurie; holidays US                | 2026-12-25 10:00 | Laurie | swap: Laurie; holiday: Christmas Day
partners laurie elaine carmen; rota thu elaine 09:00-13:00, thu laurie 13:00-17:00, fri carmen; swap 2026-12-03 carmen 09:00-13:00 for 2026-12-04 | 2026-12-04 10:00 | Elaine |
partners laurie elaine carmen; swap 2026-12-03 laurie 18:00-20:00 for 2026-12-08 | 2026-12-08 10:00 | Elaine |
hours 22:00-06:00; rota thu elaine 22:00-06:00; swap 2026-12-03 laurie | 2026-12-04 05:00 | Laurie | swap: Laurie instead of Elaine
hours 22:00-06:00; rota thu elaine 22:00-06:00, tue laurie 22:00-06:00; swap 2026-12-03 laurie for 2026-12-08 | 2026-12-09 05:00 | Elaine |
"""

AWAY = """
away elaine 2026-12-21..2027-01-01                 | 2026-12-24 10:00 | nobody | Elaine is away until Friday 1 January
away elaine 2026-12-21..2027-01-01                 | 2027-01-01 16:00 | nobody | Elaine is away until Friday 1 January
away elaine 2026-12-21..2026-12-31                 | 2027-01-01 10:00 | Elaine | Friday: Elaine by the rota
away elaine 2026-12-21..2027-01-01                 | 2026-12-24 18:00 | nobody | outside hours
away elaine 2026-12-21..2027-01-01                 | 2026-12-23 12:30 | Laurie | Wednesday: Laurie by the rota; Elaine is away until Friday 1 January
away elaine 2026-12-03 13:00..2026-12-03 15:00     | 2026-12-03 12:59 | Elaine |
away elaine 2026-12-03 13:00..2026-12-03 15:00     | 2026-12-03 13:00 | nobody | Elaine is away until Thursday 3 December at 15:00
away elaine 2026-12-03 13:00..2026-12-03 15:00     | 2026-12-03 15:00 | Elaine |
away elaine 2026-12-03..2026-12-03; away elaine 2026-12-04..2026-12-04 | 2026-12-03 10:00 | nobody | Elaine is away until Friday 4 December
away elaine 2026-02-02..2027-06-25                 | 2026-12-03 10:00 | nobody | Elaine is away until Friday 25 June 2027
away laurie 2026-12-03..2026-12-03; swap 2026-12-03 laurie | 2026-12-03 10:00 | nobody | swap: Laurie instead of Elaine; Laurie is away until Thursday 3 December
away elaine 2026-12-25..2026-12-25; holidays US    | 2026-12-25 10:00 | nobody | holiday: Christmas Day
"""

COVER = """
away elaine 2026-12-21..2027-01-01 cover laurie    | 2026-12-24 10:00 | Laurie | Elaine is away until Friday 1 January; Laurie covers
away elaine 2026-12-21..2027-01-01 cover pat       | 2026-12-24 10:00 | Pat    | Elaine is away until Friday 1 January; Pat covers
away elaine 2026-12-21..2027-01-01 cover pat       | 2026-12-22 10:00 | Laurie | Tuesday: Laurie by the rota
away elaine 2026-12-21..2027-01-01 cover laurie    | 2026-12-23 12:30 | Laurie | Wednesday: Laurie by the rota; Elaine is away until Friday 1 January
away elaine 2026-12-21..2027-01-01 cover laurie    | 2026-12-24 08:00 | nobody | outside hours
away elaine 2026-12-21..2027-01-01 cover laurie; holidays US | 2026-12-25 10:00 | nobody | holiday: Christmas Day
away elaine 2026-12-21..2027-01-01 cover laurie; holidays laurie US | 2026-12-25 10:00 | nobody | Elaine is away until Friday 1 January; Laurie would cover, but has a holiday: Christmas Day
away elaine 2026-12-24..2026-12-24 cover laurie; away laurie 2026-12-24..2026-12-26 cover pat | 2026-12-24 10:00 | nobody | Elaine is away until Thursday 24 December; Laurie would cover, but is away until Saturday 26 December
away elaine 2026-12-24..2026-12-24 cover laurie; away laurie 2026-12-24..2026-12-26 cover pat | 2026-12-28 10:00 | Laurie |
away elaine 2026-12-24..2026-12-24; away elaine 2026-12-23..2026-12-24 cover pat | 2026-12-24 10:00 | Pat |
away elaine 2026-12-24..2026-12-24 cover laurie; away elaine 2026-12-24..2026-12-24 cover pat | 2026-12-24 10:00 | Laurie and Pat | Elaine is away until Thursday 24 December; Laurie and Pat cover
away laurie 2026-12-03..2026-12-03 cover pat; swap 2026-12-03 laurie | 2026-12-03 10:00 | Pat |
"""

CLOCKS = """
rota sun laurie 02:30-06:00                        | 2026-03-08 09:59Z | nobody |
rota sun laurie 02:30-06:00                        | 2026-03-08 10:00Z | Laurie |
rota sat laurie 22:00-02:30, sun elaine 02:30-06:00| 2026-03-08 10:00Z | Elaine |
rota sun laurie 02:15-02:45                        | 2026-03-08 10:00Z | nobody |
rota sun laurie 01:30-05:00                        | 2026-11-01 01:30       | Laurie |
rota sun laurie 01:30-05:00                        | 2026-11-01 01:00 again | Laurie |
rota sat laurie 22:00-01:30                        | 2026-11-01 01:29 again | Laurie |
rota sat laurie 22:00-01:30                        | 2026-11-01 01:30 again | nobody |
rota sat laurie 22:00-01:30, sun elaine 01:30-06:00| 2026-11-01 01:30       | Laurie and Elaine | Saturday: Laurie by the rota; Sunday: Elaine by the rota
rota sun laurie 00:00-24:00; away laurie 2026-11-01 01:30..2026-11-01 01:45 | 2026-11-01 01:00 again | nobody |
rota sun laurie 00:00-24:00; away laurie 2026-11-01 01:30..2026-11-01 01:45 | 2026-11-01 01:45 again | Laurie |
zone Europe/Berlin; rota sun laurie 00:00-06:00    | 2026-03-29 03:59Z | Laurie |
zone Europe/Berlin; rota sun laurie 00:00-06:00    | 2026-03-29 04:00Z | nobody |
zone Europe/Berlin; rota sun laurie 02:30-06:00    | 2026-10-25 00:30Z | Laurie |
zone Australia/Lord_Howe; rota sun laurie 02:15-06:00 | 2026-10-03 15:29Z | nobody |
zone Australia/Lord_Howe; rota sun laurie 02:15-06:00 | 2026-10-03 15:30Z | Laurie |
zone Australia/Lord_Howe; rota sun laurie 01:45-06:00 | 2026-04-04 14:45Z | Laurie |
zone Australia/Lord_Howe; rota sat laurie 22:00-01:45 | 2026-04-04 15:14Z | Laurie |
zone Australia/Lord_Howe; rota sat laurie 22:00-01:45 | 2026-04-04 15:15Z | nobody |
zone Pacific/Apia; rota thu laurie 00:00-24:00, fri elaine 00:00-24:00 | 2011-12-29 23:59 | Laurie |
zone Pacific/Apia; rota thu laurie 00:00-24:00, fri elaine 00:00-24:00 | 2011-12-31 00:00 | nobody |
zone Pacific/Apia; rota fri elaine 22:00-06:00     | 2011-12-31 05:59 | Elaine | Friday: Elaine by the rota
zone America/Havana; rota sun laurie 00:00-24:00   | 2026-03-08 05:00Z | Laurie |
zone America/Havana; rota sun laurie 00:00-24:00   | 2026-11-01 04:00Z | Laurie |
zone America/Goose_Bay; rota sun laurie 00:00-24:00| 2010-11-07 02:59Z | nobody |
zone America/Goose_Bay; rota sun laurie 00:00-24:00| 2010-11-07 03:00Z | Laurie |
zone America/Goose_Bay; rota sun laurie 00:00-24:00| 2010-11-07 03:30Z | Laurie |
zone America/Goose_Bay; rota sat laurie 00:00-24:00| 2010-11-07 03:30Z | Laurie |
zone Asia/Kathmandu; rota mon laurie               | 2026-11-30 03:15Z | Laurie |
"""

TABLES = {
    "rota": ROTA,
    "weeks": WEEKS,
    "holidays": HOLIDAYS,
    "swaps": SWAPS,
    "away": AWAY,
    "cover": COVER,
    "clocks": CLOCKS,
}
ROWS = [
    pytest.param(*(cell.strip() for cell in row.split("|")), id=f"{table}: {' '.join(row.split())}")
    for table, text in TABLES.items()
    for row in text.strip("\n").splitlines()
]


@pytest.mark.parametrize(("wrote", "moment", "on", "why"), ROWS)
def test_the_people_on_duty_and_the_reason(wrote: str, moment: str, on: str, why: str) -> None:
    """At each moment of the tables those are on duty whom the table names, for the reason it gives."""
    role = role_of(wrote)
    when = at(role, moment)
    duty = Roster(role).duty(when)
    assert (joined(person.first_name for person in duty.on) or "nobody") == on
    (span,) = timeline(role, when, when.replace(microsecond=1))
    assert why in ("", span.why)
