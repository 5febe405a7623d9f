"""Any mail, any role, any moment: what the properties of a plan are tried with."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import strategies as st

from mailrouter.routing.model import Situation, Verdicts
from mailrouter.schedule.model import Role
from tests.routing.situations import AWAY, BOTH_AWAY, HANDOFF, STAND_IN, mail, role, second_role, situation
from tests.schedule.roles import PAT

WORDS = ("absence", "always", "never")
ANSWERS = ("never", "nobody", "absence", "always")
PARTNERS = ("", "partners laurie; rota mon laurie", "partners laurie elaine carmen")
ABSENCES = ("", AWAY, BOTH_AWAY, STAND_IN, "holidays US CA", "away laurie 2026-12-02 13:00..2026-12-03 12:00")


@st.composite
def roles(draw: st.DrawFn) -> Role:
    """A role with any of its options, its people and their absences."""
    people = draw(st.sampled_from(PARTNERS))
    clauses = [people, "" if "rota" in people else draw(st.sampled_from(ABSENCES))]
    made = role(
        "; ".join(filter(None, clauses)),
        note=draw(st.sampled_from(WORDS)),
        handoff=draw(st.sampled_from(("thread", "always", "new", "never"))),
        reply_inside=draw(st.sampled_from(ANSWERS)),
        reply_outside=draw(st.sampled_from(ANSWERS)),
        copy_inside=draw(st.sampled_from(("cc", "hidden"))),
        reply_to=draw(st.sampled_from(("sender-and-role", "sender"))),
        forwarding=draw(st.sampled_from(("auto", "wrap", "companion", "untouched"))),
        already_addressed=draw(st.sampled_from(("copy", "skip"))),
    )
    if draw(st.booleans()):
        made = replace(made, partners=tuple(replace(p, email=f"{p.key}@private.test") for p in made.partners))
    return made


FIELDS: st.SearchStrategy[list[str | bytes]] = st.lists(
    st.sampled_from(
        [
            "From: Laurie <laurie@example.test>",
            "From: Ann <ann@outside.test>",
            "From: (",
            "To: a: vp-hr@example.test;",
            "To: office@example.test, vp-hr@example.test",
            "To:",
            "Cc: elaine@example.test, ann@outside.test",
            'Cc: "open <bob@example.test>',
            b"Cc: J\xfcrgen <juergen@example.test>",
            "Reply-To: desk@example.test",
            "List-Id: <x.example.test>",
            "Auto-Submitted: auto-replied",
            "Message-ID:",
            "References: <a@b> <c@d>",
            "In-Reply-To: <a@b>",
            "Subject: =?utf-8?b?4pyT?=",
            "Content-Type: multipart/mixed; boundary=b",
            "Content-Type: multipart/signed; boundary=b; protocol=application/pgp-signature",
            "Content-Type: multipart/report; boundary=b",
            "Content-Type: text/calendar; method=REQUEST",
            "Content-Type: application/pkcs7-mime",
            "MIME-Version: 1.0",
            "X-Spam-Flag: YES",
            b"a line that is no field",
        ]
    ),
    max_size=5,
)
BODIES = st.sampled_from(
    [b"", b"Hello.\r\n", b"no line end", b"--b\r\n\r\ntext\r\n--b--\r\n", "Grüße\r\n".encode()]
)
SENDERS = st.sampled_from(
    [
        *("", "jane@example.test", "ann@outside.test", "laurie@example.test", "elaine@private.test"),
        *(
            "pat@example.test",
            "vp-hr@example.test",
            "owner-list@outside.test",
            "x",
            "srs0=a=b=c.test=d@example.test",
        ),
    ]
)
MOMENTS = st.integers(0, 60 * 24 * 45).map(
    lambda minutes: datetime(2026, 11, 25) + timedelta(minutes=minutes)
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[bytes, list[Situation]]:
    """A mail, and the facts of one role or of two of the same people."""
    raw = mail(*draw(FIELDS), body=draw(BODIES))
    first = draw(roles())
    chosen = [first]
    if draw(st.booleans()):
        # Pat stands in for the first role and is a partner of the second.
        pat = replace(PAT, key="pat")
        people = draw(st.sampled_from([(pat,), first.partners, (*first.partners, pat)]))
        rota = role("rota mon pat").rota if people == (pat,) else first.rota
        chosen.append(second_role(partners=people, rota=rota))
    if draw(st.booleans()):
        chosen.reverse()
    when = f"{draw(MOMENTS):%Y-%m-%d %H:%M}"
    sender = draw(SENDERS)
    made = []
    for of in chosen:
        version = 7 if of.key == "vp-hr" else 8
        facts = {
            "handoff": draw(st.sampled_from([None, replace(HANDOFF, version=version)])),
            "handoff_seen": draw(st.sampled_from([0, 6, version])),
            "verdicts": draw(st.sampled_from([Verdicts(), Verdicts(), Verdicts(dmarc_fail=True)])),
            "next_hop_size": draw(st.sampled_from([None, None, 900])),
        }
        made.append(situation(of, when, sender, **facts))
    return raw, made
