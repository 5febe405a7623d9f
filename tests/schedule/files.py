"""Role files as partners may write them, drawn by hypothesis: every key that says who works when."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import strategies as st

from mailrouter.config.to_yaml import Written, flow

ZONES = [
    *(
        "America/Los_Angeles",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "America/Havana",
        "Pacific/Apia",
        "Africa/Cairo",
    ),
    *("Pacific/Auckland", "Asia/Kathmandu", "UTC", "Europe/London", "America/Sao_Paulo", "Africa/Casablanca"),
]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
KEYS = ("laurie", "elaine", "dana")
FIRST = date(2026, 1, 1)
YEARS = 5

DAYS = st.integers(-30, YEARS * 366).map(lambda ahead: FIRST + timedelta(days=ahead))
WHO = st.sampled_from(KEYS)
MINUTES = st.integers(0, 95).map(lambda quarter: quarter * 15)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@st.composite
def hours(draw: st.DrawFn) -> str:
    """``22:00-06:00``; never without length."""
    start, length = draw(MINUTES), draw(st.integers(1, 95)) * 15
    return f"{clock(start)}-{clock((start + length) % 1440)}"


SHIFTS = st.one_of(WHO, st.just("both"), st.builds(lambda who, h: f"{who} {h}", WHO, hours()))
WEEKDAY = st.one_of(st.just("nobody"), SHIFTS, st.lists(SHIFTS, min_size=1, max_size=3))
WEEK = st.fixed_dictionaries(dict.fromkeys(WEEKDAYS, WEEKDAY))
RULES = st.sampled_from(
    [
        {"country": "US", "subdivision": "CA"},
        {"country": "DE"},
        {"country": "GB"},
        {"country": "NZ"},
        {"country": "NO"},
    ]
)
COVERS = st.one_of(st.none(), WHO, st.just({"name": "Pat Quinn", "email": "pat@example.test"}))
EVERY = st.one_of(
    st.sampled_from(WEEKDAYS),
    st.builds("{} {}".format, st.sampled_from(["first", "last"]), st.sampled_from(WEEKDAYS)),
    st.builds(
        "{} {} of the month".format, st.sampled_from(["second", "third", "5th"]), st.sampled_from(WEEKDAYS)
    ),
    st.builds("other {}".format, st.sampled_from(WEEKDAYS)),
    st.just("day"),
)


@st.composite
def absences(draw: st.DrawFn) -> Written:
    """In each of the ways that there are."""
    who, cover, start = draw(WHO), draw(COVERS), draw(DAYS)
    entry: dict[str, Written] = {"partner": who}
    way = draw(st.sampled_from(["date", "days", "moments", "open", "every"]))
    if way == "date":
        entry["date"] = start.isoformat()
    elif way == "every":
        entry |= {"every": draw(EVERY), "from": start.isoformat()}
    else:
        last = start + timedelta(days=draw(st.integers(1, 40)))
        time = f" {clock(draw(MINUTES))}" if way == "moments" else ""
        until = f"{last.isoformat()}{time}"
        entry |= {"from": f"{start.isoformat()}{time}", "until": "further notice" if way == "open" else until}
    if way != "moments" and draw(st.booleans()):
        entry["hours"] = draw(hours())
    if cover is not None and cover != who:
        entry["cover"] = cover
    return entry


@st.composite
def swaps(draw: st.DrawFn) -> Written:
    """With hours or without, for a day, a part of one, or nothing."""
    day = draw(DAYS)
    entry: dict[str, Written] = {"date": day.isoformat(), "partner": draw(WHO)}
    if draw(st.booleans()):
        entry["hours"] = draw(hours())
    if draw(st.booleans()):
        back = (day + timedelta(days=draw(st.integers(1, 30)))).isoformat()
        entry["for"] = f"{back} {draw(hours())}" if draw(st.booleans()) else back
    return entry


@st.composite
def special_days(draw: st.DrawFn) -> dict[str, Written]:
    """Single days and ranges that don't overlap."""
    found: dict[str, Written] = {}
    day = FIRST + timedelta(days=draw(st.integers(0, 60)))
    for _ in range(draw(st.integers(0, 4))):
        last = day + timedelta(days=draw(st.integers(0, 9)))
        found[day.isoformat() if day == last else f"{day.isoformat()} until {last.isoformat()}"] = draw(
            WEEKDAY
        )
        day = last + timedelta(days=draw(st.integers(1, 300)))
    return found


@st.composite
def partners(draw: st.DrawFn) -> dict[str, Written]:
    """Three of them: from a day, until a day, in zones and with holidays of their own."""
    found: dict[str, Written] = {}
    for key in KEYS:
        entry: dict[str, Written] = {"name": key.capitalize(), "email": f"{key}@example.test"}
        since, until = draw(st.one_of(st.none(), DAYS)), draw(st.one_of(st.none(), DAYS))
        if since:
            entry["from"] = since.isoformat()
        if until and (since is None or until >= since):
            entry["until"] = until.isoformat()
        if draw(st.integers(0, 3)) == 0:
            entry["time_zone"] = draw(st.sampled_from(ZONES))
        if draw(st.integers(0, 3)) == 0:
            entry["holidays"] = draw(RULES)
        if draw(st.integers(0, 2)) == 0:
            entry["follows"] = draw(st.sampled_from([other for other in KEYS if other != key]))
        found[key] = entry
    return found


@st.composite
def role_files(draw: st.DrawFn) -> str:
    """A whole file that is right."""
    keys: dict[str, Written] = {
        "role": "vp-hr@example.test",
        "name": "VP HR",
        "time_zone": draw(st.sampled_from(ZONES)),
        "partners": draw(partners()),
    }
    if draw(st.integers(0, 3)) == 0:
        keys["from"], keys["until"] = (
            (FIRST + timedelta(days=draw(st.integers(0, 400)))).isoformat(),
            "2029-06-30",
        )
    if draw(st.booleans()):
        keys |= {"hours": "08:00-18:00", "lunch": "12:15-13:00"}
    weeks = draw(st.lists(WEEK, min_size=1, max_size=3))
    keys["rota"] = weeks[0] if len(weeks) == 1 else {"starting": draw(DAYS).isoformat(), "weeks": weeks}
    keys["special_days"] = draw(special_days())
    if draw(st.booleans()):
        keys["holidays"] = draw(RULES)
    keys["absences"] = draw(st.lists(absences(), max_size=5))
    keys["swaps"] = draw(st.lists(swaps(), max_size=3))
    return "".join(f"{name}: {flow(value)}\n" for name, value in keys.items())
