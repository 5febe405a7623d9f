"""Log lines of events: their forms, what never stands in them, and how many there may be."""

from __future__ import annotations

import logging

import pytest

from mailrouter import events
from mailrouter.events import Bounded, EventRecord, fault, tell, text
from mailrouter.smtp.replies import Reply
from mailrouter.trust import confirmations, tokens

KEY = b"k" * 32
log = logging.getLogger("mailrouter.tests")


def told(caplog: pytest.LogCaptureFixture) -> list[EventRecord]:
    """The events so far."""
    return [record for record in caplog.records if isinstance(record, EventRecord)]


@pytest.fixture(autouse=True)
def all_levels(caplog: pytest.LogCaptureFixture) -> None:
    """Events are logged as a service logs them."""
    caplog.set_level(logging.INFO, logger="mailrouter")


def test_an_event_is_one_line_with_its_fields(caplog: pytest.LogCaptureFixture) -> None:
    """As text: the id, the event, each field; a field of None is left out, an empty sender is not."""
    tell(log, "refused", "5xk", {"from": "", "to": "a@b.test", "size": 12, "x": None}, words="too large")
    (record,) = told(caplog)
    assert text(record) == "5xk: refused from=<> to=<a@b.test> size=12: too large"
    assert record.getMessage() == "too large"
    assert record.fields == {"from": "", "to": "a@b.test", "size": 12}


@pytest.mark.parametrize("value", ["a b", "a\nb", 'a"b', "a=b", "", "a\u2028b", "\x1b[31m", "a\\b"])
def test_a_value_never_breaks_its_line_or_its_field(value: str, caplog: pytest.LogCaptureFixture) -> None:
    """What a client says of itself can't forge a line, a field or a command to a terminal."""
    tell(log, "x", "", {"helo": value, "next": 1})
    line = text(told(caplog)[0])
    assert line.isprintable()
    assert line.startswith('x helo="')
    assert line.endswith('" next=1')


def test_an_address_of_ours_loses_its_token(caplog: pytest.LogCaptureFixture) -> None:
    """Who has a token can answer in a partner's place: return paths and confirmations show none, in no form."""
    path = tokens.return_path("vp-hr@example.test", tokens.make(KEY, 77, 20_000), None)
    elsewhere = tokens.return_path("vp-hr@example.test", tokens.make(KEY, 77, 20_000), "bounces.test")
    answer = confirmations.handoff_address("vp-hr@example.test", confirmations.make(KEY, "vp-hr", 77))
    tell(log, "accepted", "5xk", {"from": path, "to": [path.upper(), elsewhere, answer, "jane-a@b.test"]})
    (record,) = told(caplog)
    for address in (path, elsewhere, answer):
        token = address.partition("@")[0].rpartition("-")[2]
        assert len(token) in (22, 28)
        assert token not in text(record).lower()
        assert token not in str(record.fields).lower()
    assert "<vp-hr+b-TOKEN@example.test>" in text(record)
    assert "jane-a@b.test" in text(record)


def test_a_long_list_of_recipients_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    """A hundred recipients are no line of 30 KB."""
    tell(log, "accepted", "5xk", {"to": [f"a{n}@b.test" for n in range(100)], "nrcpt": 100})
    assert text(told(caplog)[0]).count("@") == events.MOST_ADDRESSES


def test_nothing_is_made_of_an_event_below_the_level(caplog: pytest.LogCaptureFixture) -> None:
    """As with any log."""
    caplog.set_level(logging.ERROR, logger="mailrouter")
    tell(log, "x")
    assert told(caplog) == []


def test_an_error_for_each_mail_is_one_line_each_and_one_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """The traceback comes again after a while, and at once for an error from elsewhere."""

    def broken(now: float) -> None:
        try:
            raise ValueError("Subject: secret")
        except ValueError as error:
            fault(log, now, error, "a message could not be taken")

    for now in (1000, 1001, 1002, 1000 + events.TRACE_SECONDS):
        broken(now)
    assert [record.exc_info is not None for record in told(caplog)] == [True, False, False, True]
    assert {record.fields["error"] for record in told(caplog)} == {"ValueError"}
    assert "secret" not in "".join(map(text, told(caplog)))


def test_lines_about_one_client_are_bounded_and_counted() -> None:
    """One client has so many a minute, all together have so many; how many were left out is told."""
    lines = Bounded(each=3, together=5)
    assert [lines.may("a", 0.0) for _ in range(5)] == [True, True, True, False, False]
    assert [lines.may(client, 1.0) for client in "bcd"] == [True, True, False]
    assert lines.take_left_out() == 3
    assert lines.take_left_out() is None
    assert lines.may("a", 60.0)


@pytest.mark.parametrize(
    ("words", "id_"),
    [
        ("2.0.0 Ok: queued as 4cWx3k0Jz", "4cWx3k0Jz"),
        ("OK id=1tGabc-0001Ab-2f", "1tGabc-0001Ab-2f"),
        ("2.0.0 queued as 5xk9", "5xk9"),
        ("2.0.0 <laurie@example.test> abcdEFGH Saved", None),
        ("2.0.0 Ok: the Subject was: queued as secret", None),
        ("2.0.0 Ok: queued as " + "a" * 100, None),
        ("thanks", None),
    ],
)
def test_the_next_servers_id_is_found_where_it_is_known_to_stand(words: str, id_: str | None) -> None:
    """And nothing else of what the server says."""
    assert Reply(250, words, stage="dot").next_hop_id == id_
    assert Reply(250, words, stage="rcpt").next_hop_id is None
