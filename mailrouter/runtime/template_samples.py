"""Made-up facts for trying every template when it is loaded. One set a case."""

from __future__ import annotations

from mailrouter.schedule.model import Emergency

_EMERGENCY = Emergency("Duty line", "+1 650 555 0100", "duty@example.test")
_LONG = {"who": ["Ann"], "many": False, "when": "until Friday 1 January", "back": "", "cover": []}
_BOTH = {
    "who": ["Ann", "Ben"],
    "many": True,
    "when": "today",
    "back": "on Monday 4 January",
    "cover": ["Cleo"],
}
_NEXT = {"who": ["Ann"], "many": False, "told": False, "day": "on Monday 4 January", "time": "09:00"}

_QUIET: dict[str, object] = {
    "role": "Office",
    "role_address": "office@example.test",
    "today": "Thursday 3 December",
    "inside": True,
    "on": ["Ann"],
    "in_now": True,
    "away": [],
    "next": _NEXT,
    "nobody": False,
    "reopens": "",
    "week": [{"who": "Ann", "days": ["Monday", "Tuesday"]}],
    "usual": True,
    "emergency": None,
}
_STRETCHES: tuple[dict[str, object], ...] = (
    _QUIET,
    _QUIET | {"usual": False, "week": [], "on": [], "in_now": False},
    _QUIET | {"away": [_LONG, _BOTH], "emergency": _EMERGENCY},
    _QUIET | {"away": [_LONG], "on": [], "in_now": False, "next": None, "emergency": Emergency("Duty line")},
    _QUIET | {"away": [_BOTH], "on": [], "in_now": False, "nobody": True, "reopens": "on Monday 4 January"},
    _QUIET | {"on": [], "in_now": False, "nobody": True, "next": None},
)
_OUTSIDE: dict[str, object] = {"inside": False, "on": [], "week": []}

_HANDOFF: dict[str, object] = {
    "role": "Office",
    "author": "Ann",
    "written": "Tuesday 1 December",
    "time": "10:00",
    "age": "9 days ago",
    "days": 9,
    "stale": True,
}
_READ: dict[str, object] = {
    "sections": [
        {"name": "Done", "lines": ["the budget"]},
        {"name": "Left", "lines": ["the keys", "the car"]},
    ],
    "more": 0,
    "found": True,
}
_NOTICE: dict[str, object] = {
    "role": "Office",
    "address": "office+handoff@example.test",
    "before": None,
    "written": "Thursday 3 December",
    "time": "10:00",
}
_NOTICES: tuple[dict[str, object], ...] = (_NOTICE, _NOTICE | {"before": _HANDOFF})
_MORE: dict[str, object] = {"author": "Ann", "source": "the text of the mail", "read": "Done\n- the budget\n"}

_ASKED: dict[str, object] = {
    "until": "Thursday 10 December",
    "subject": "The budget",
    "origin": "192.0.2.1 (which calls itself mail.example.test)",
}

_TROUBLE: dict[str, object] = {
    "role": "Office",
    "role_address": "office@example.test",
    "who": "Ann",
    "recipient": "ann@example.test",
    "bounced": True,
    "words": "550 5.1.1 No such user here",
    "queue": "1bcd",
    "sender": "jane@example.test",
    "subject": "The budget",
    "message_id": "<1@example.test>",
    "arrived": "Thursday 3 December at 10:00",
    "have": "Ben and Cleo",
    "have_many": True,
    "trying": "",
    "sender_hears": False,
    "ours": False,
    "since": "",
}
_FAILING = _TROUBLE | {"since": "Wednesday 2 December"}
_TROUBLES: tuple[dict[str, object], ...] = (
    _TROUBLE,
    _TROUBLE | {"words": "", "subject": "", "message_id": "", "sender": "", "have": "", "bounced": False},
    _TROUBLE | {"have": "", "trying": "Ben", "sender_hears": True},
    _TROUBLE | {"have": "Ben", "have_many": False},
    _TROUBLE | {"ours": True},
)

_SCHEDULE: dict[str, object] = {
    "role": "Office",
    "address": "office+schedule@example.test",
    "written": "Thursday 3 December",
    "time": "10:00",
}
_WEEKS: dict[str, object] = {
    "weeks": [
        {"monday": "Monday 7 December", "lines": ["Mon 7 Dec: Ann", "Tue 8 Dec: nobody"]},
        {"monday": "Monday 14 December", "lines": []},
    ]
}
_CHANGED: dict[str, object] = (
    _SCHEDULE
    | _WEEKS
    | {
        "author": "Ann",
        "said": ["Ann is away on Monday 7 December."],
        "notes": ["dentist"],
        "undone": False,
        "changes": ["Mon 7 Dec: Ben (was: Ann)"],
        "more": 0,
        "file": [],
        "more_file": 0,
    }
)
_QUESTION: dict[str, object] = {
    "more_lines": 0,
    "file": [],
    "more_file": 0,
    "broken": False,
    "changes": [],
    "more": 0,
}

SAMPLES: dict[str, tuple[dict[str, object], ...]] = {
    "note": _STRETCHES,
    "reply": (*_STRETCHES, *(facts | _OUTSIDE for facts in _STRETCHES)),
    "handoff": tuple(
        _HANDOFF | {"age": age, "days": days, "stale": days > 7}
        for age, days in (("yesterday", 1), ("9 days ago", 9))
    ),
    "companion": ({"role": "Office", "subject": "The budget"},),
    "handoff-read": (
        _READ,
        *(_READ | {"more": more, "found": False} for more in (1, 2)),
        _READ | {"sections": []},
    ),
    "handoff-taken": tuple(facts | _MORE for facts in _NOTICES),
    "handoff-confirm": tuple(
        facts | _MORE | _ASKED | {"last": last} for facts in _NOTICES for last in (False, True)
    ),
    "confirm-again": ({"role": "Office", "author": "Ann", "until": "Thursday 10 December"},),
    **dict.fromkeys(
        ("undelivered", "away-unknown", "loop"),
        tuple(
            facts | {"you_have": you == "have", "you_wait": you == "wait", "you_lost": you == "lost"}
            for facts in _TROUBLES
            for you in ("have", "wait", "lost", "")
        ),
    ),
    **dict.fromkeys(("undelivered-operator", "away-operator"), _TROUBLES),
    "unreached": ({"who": "Ann", "since": "Tuesday 1 December"},),
    "failing": tuple(
        _FAILING | {"you_have": have, "words": words} for have in (True, False) for words in ("", "450 full")
    ),
    "failing-operator": tuple(
        _FAILING | {"have": have, "have_many": False, "words": words}
        for have, words in (("Ben", "450 full"), ("", ""))
    ),
    "loop-operator": (_TROUBLE, _TROUBLE | {"recipient": "", "who": "", "queue": "", "message_id": ""}),
    "schedule-changed": (
        _CHANGED,
        _CHANGED | {"more": 3},
        _CHANGED | {"author": "", "changes": [], "undone": True, "weeks": []},
        _CHANGED | {"file": ["[copy]", "+ copy: on-duty"], "more_file": 3},
    ),
    "schedule-confirm": tuple(
        _SCHEDULE | _ASKED | _QUESTION | {"author": "Ann", "lines": lines, "last": not lines} | more
        for lines, more in (
            (["> off today"], {"more_lines": 2}),
            ([], {}),
            ([], {"file": ["[copy]", "+ copy: on-duty"], "more_file": 3}),
            ([], {"changes": ["  Thu 3 Dec: Ann (was: Ben)"], "more": 2}),
            ([], {"broken": True}),
        )
    ),
    "schedule-answer": tuple(
        _SCHEDULE | _WEEKS | {"lines": lines, "examples": examples, "other": other}
        for lines, examples, other in (
            (['"x" is not understood.'], True, "Ben"),
            ([], True, ""),
            ([], False, ""),
        )
    ),
    "schedule-file": (_SCHEDULE,),
    "schedule-broken": tuple(
        _SCHEDULE | {"file": "office.yaml", "problems": ["Line 3: it is wrong"], "kept": kept}
        for kept in (True, False)
    ),
    "role-file-gone": ({"role": "Office", "role_address": "office@example.test", "file": "office.yaml"},),
    "weekly": tuple(
        {"role": "Office", "role_address": "office@example.test", "lines": lines, "zone": zone}
        for lines, zone in ((["Mon 7 Dec: Ann"], "Europe/Berlin"), ([], ""))
    ),
    "handoff-unusable": tuple(
        facts | {"author": "Ann", "problem": "There is no text in it.", "own": own, "passed_to": passed_to}
        for facts in _NOTICES
        for own, passed_to in ((True, ""), (True, "Ben gets it"), (False, "Ben gets it"))
    ),
}
"""By the template's name; the same keys as the facts of ``mailrouter.routing.wording``."""
