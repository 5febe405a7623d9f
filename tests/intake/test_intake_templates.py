"""Templates: what a deployment may write, and what it may not."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from mailrouter.routing.partner import handoff_notices
from mailrouter.routing.partner.handoff_notices import Question
from mailrouter.routing.partner.handoff_text import Written
from mailrouter.routing.people import people_facts
from mailrouter.routing.wording import CurrentHandoff, Wording, handoff_facts
from mailrouter.runtime.template_samples import SAMPLES
from mailrouter.runtime.templates import TemplateFault, Templates
from mailrouter.schedule.duty import Roster
from tests.routing.situations import AWAY, HANDOFF, HANDOFF_TEXT, mail, read, role, situation
from tests.schedule.roles import ELAINE, LAURIE, at


def override(folder: Path, text: str, name: str = "note") -> Templates:
    """The templates with one of a deployment's own."""
    (folder / "mail").mkdir(exist_ok=True)
    (folder / "mail" / f"{name}.txt.j2").write_text(text)
    return Templates(folder)


def test_a_deployments_template_comes_before_ours(tmp_path: Path) -> None:
    """The file of the same name is used; the others stay."""
    made = override(tmp_path, "{{ role }}: {{ on | names }}")
    assert made.render("note", SAMPLES["note"][0]) == "Office: Ann"
    assert made.render("reply", SAMPLES["reply"][0]).startswith("Hello,")


def test_a_template_may_lie_in_the_folder_itself(tmp_path: Path) -> None:
    """Without a ``mail`` folder, too."""
    (tmp_path / "note.txt.j2").write_text("mine")
    assert Templates(tmp_path).render("note", {}) == "mine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("one\n{% if on %}\n", r"note\.txt\.j2:2: .*end of template|note\.txt\.j2:2: Unexpected"),
        ("one\ntwo {{ rolle }}\n", r"note\.txt\.j2:2: 'rolle' is undefined"),
        ("{{ away[0].reason }}", r"note\.txt\.j2:1: "),
        ("{{ 'a' * 999999999 }}", r"note\.txt\.j2:1: the operator \* is for small numbers"),
        ("{{ [1] * 999999999 }}", "for small numbers"),
        ("{{ 9 ** 9 ** 9 }}", "for small numbers"),
        ("{{ '%999999999d' % 1 }}", "for small numbers"),
        ("{% for i in range(10**9) %}x{% endfor %}", "'range' is undefined|for small numbers"),
        ("{{ 'a' | center(999999999) }}", "No filter named 'center'"),
        ("{{ '%d' | format(1) }}", "No filter named 'format'"),
        ("{{ 'a'.center(999999999) }}", "unsafe|not safely callable"),
        ("{{ '{:999999999}'.format(1) }}", "unsafe|not safely callable"),
        ("{{ 'a'.ljust(999999999) }}", "unsafe|not safely callable"),
        ("{{ ''.__class__ }}", "unsafe"),
        ("{{ on.__class__.__mro__ }}", "unsafe"),
        ("{{ role.__init__.__globals__ }}", "unsafe"),
        ("{{ on.append('x') }}", "unsafe|not safely callable"),
        ("{{ self._TemplateReference__context }}", "unsafe|undefined|no attribute"),
        ("{% include '/etc/passwd' %}", "/etc/passwd"),
        ("{% for x in 'abcdefghij' %}{% for y in 'abcdefghij' %}{% for z in 'abcdefghij' %}"
         "{{ 'x                                    ' }}{% endfor %}{% endfor %}{% endfor %}",
         "more than 20000 characters"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_used_is_refused_when_it_is_loaded(
    tmp_path: Path, text: str, message: str
) -> None:
    """With file and line where there is one, in no time and no memory."""
    begun = time.perf_counter()
    with pytest.raises(TemplateFault, match=message):
        override(tmp_path, text)
    assert time.perf_counter() - begun < 2


def test_a_missing_or_unreadable_template_is_named(tmp_path: Path) -> None:
    """A folder in its place, or bytes that are no text."""
    (tmp_path / "note.txt.j2").write_bytes(b"\xff\xfe")
    with pytest.raises(TemplateFault, match=r"note\.txt\.j2 can't be read"):
        Templates(tmp_path)


def test_the_samples_have_the_facts_that_texts_are_worded_from() -> None:
    """Whoever adds a fact adds it to the samples, or templates would be tried with the wrong ones."""
    of = role(AWAY)
    facts = people_facts(of, Roster(of).duty(at(of, "2026-12-03 10:00")), inside=True, names=True)
    for sample in (*SAMPLES["note"], *SAMPLES["reply"]):
        assert sample.keys() == facts.keys()
    away, upcoming, week = facts["away"], facts["next"], facts["week"]
    full = SAMPLES["note"][2]
    for made, shown in ((away, full["away"]), ([upcoming], [full["next"]]), (week, full["week"])):
        assert made[0].keys() == shown[0].keys()  # type: ignore[index]
    handoff = CurrentHandoff(1, "Ann", HANDOFF.written_at, 10)
    for sample in SAMPLES["handoff"]:
        assert sample.keys() == handoff_facts(of, handoff, HANDOFF.written_at.date()).keys()


class Recorder:
    """Templates that remember the facts they were given."""

    def __init__(self) -> None:
        self.given: dict[str, Mapping[str, object]] = {}

    def render(self, name: str, facts: Mapping[str, object]) -> str:
        self.given[name] = facts
        return name


def test_the_samples_of_our_messages_about_handoffs_have_their_facts() -> None:
    """The same, for what is taken, asked and unusable."""
    recorder = Recorder()
    facts = situation(role(AWAY), handoff=HANDOFF, wording=Wording(recorder))
    head, _ = read(mail())
    handoff_notices.taken(facts, head, ELAINE, LAURIE, Written(HANDOFF_TEXT, "x"), facts.duty.moment)
    handoff_notices.confirm(
        facts, head, LAURIE, Written(HANDOFF_TEXT, "x"), Question("vp-hr+handoff-x@example.test", "192.0.2.1")
    )
    handoff_notices.unusable(facts, head, LAURIE, LAURIE, "x")
    for name, given in recorder.given.items():
        for sample in SAMPLES[name]:
            assert sample.keys() == given.keys()
    assert len(recorder.given) == 4
