"""A real relay before a next server that goes wrong in every way: nothing is lost, and little is doubled."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.misbehaving import (
    CLOSE,
    ENDLESS,
    GIBBERISH,
    HANG,
    PLAIN_OFFER,
    TAKE_AND_CLOSE,
    Action,
    Script,
    Standing,
    standing,
)
from tests.support.relay import PARTNERS, ROLE, Relay, relay, wait_until, write_configuration
from tests.support.sending import send

JANE = "jane@outside.test"
QUICK = """\
timeouts: {connect: 2 s, reply: 0.8 s, data_end: 4 s}
retry: {first: 0.1 s, most: 0.2 s}
"""
"""The end of a message is waited for longer: a test that is held up there would see a double."""
_ID = re.compile(rb"^Message-ID: (\S+)", re.MULTILINE | re.IGNORECASE)
_numbers = itertools.count()


@dataclass
class Pair:
    """One relay and the server behind it, which go through all troubles of this page together."""

    relay: Relay
    hop: Standing

    def send(self, number: int, extra: str = "") -> list[bytes]:
        """Send mails, each of which has to be answered 250; gives their Message-IDs."""
        ids = [f"<{next(_numbers)}@outside.test>" for _ in range(number)]
        mails = [
            f"From: {JANE}\r\nTo: {ROLE}\r\nSubject: a\r\nMessage-ID: {id_}\r\n{extra}\r\nhello\r\n".encode()
            for id_ in ids
        ]
        replies = send(self.relay.port, [(JANE, ROLE, mail) for mail in mails], connections=1)
        assert all(reply.startswith("250 ") for reply in replies), replies
        return [id_.encode() for id_ in ids]

    def arrived(self) -> Counter[tuple[bytes, str]]:
        """How often each mail was taken for each recipient."""
        found: Counter[tuple[bytes, str]] = Counter()
        for one in list(self.hop.server.received):
            if (id_ := _ID.search(one.content)) is not None:
                found.update((id_[1], recipient) for recipient in one.recipients)
        return found

    def all_arrive(self, ids: list[bytes], recipients: tuple[str, ...] = PARTNERS) -> int:
        """Wait until each mail has reached each recipient; gives how many came more than once."""
        wanted = [(id_, recipient) for id_ in ids for recipient in recipients]
        wait_until(lambda: not set(wanted) - set(self.arrived()), what="the last copy")
        return self.doubled(ids)

    def doubled(self, ids: list[bytes]) -> int:
        """How many copies of these mails came more than once by now."""
        return sum(times > 1 for (id_, _), times in self.arrived().items() if id_ in ids)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The same two processes for every trouble, so that each one is also got over."""
    with standing() as hop:
        folder = tmp_path_factory.mktemp("hop")
        config = write_configuration(folder, f"smtp://127.0.0.1:{hop.port}", settings=QUICK)
        with relay(config) as running:
            yield Pair(running, hop)
            assert running.process.poll() is None


STATES = ("connect", "ehlo", "mail", "rcpt", "data", "dot")
ACTIONS: dict[str, Action] = {
    "hangs": HANG,
    "closes": CLOSE,
    "talks nonsense": GIBBERISH,
    "never ends its reply": ENDLESS,
    "says 421": "421 4.3.2 closing",
    "says 451": "451 4.3.0 not now",
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("what", ACTIONS)
def test_nothing_is_lost_by_a_server_that_fails(pair: Pair, what: str, state: str) -> None:
    """Whatever it does in whatever state: once it behaves, every copy arrives, and only once."""
    pair.hop.behave(Script({state: ACTIONS[what]}))
    ids = pair.send(3)
    wait_until(lambda: pair.hop.server.met[state] >= 2, what="two failures")
    assert not any(pair.arrived()[id_, who] for id_ in ids for who in PARTNERS)
    pair.hop.behave()
    assert pair.all_arrive(ids) == 0


def test_a_message_whose_fate_is_unknown_comes_again(pair: Pair) -> None:
    """Taken, and then no answer: it is doubled, with the same Message-ID, and nothing else is."""
    pair.hop.behave(Script({"dot": TAKE_AND_CLOSE}))
    ids = pair.send(3)
    wait_until(lambda: pair.hop.server.met["dot"] >= 2, what="two unknown fates")
    pair.hop.behave()
    wait_until(lambda: pair.doubled(ids) >= 1, what="a second one")
    pair.all_arrive(ids)
    pair.all_arrive(pair.send(1))
    assert {id_ for id_, _ in pair.arrived()} >= set(ids)
    assert pair.doubled(ids) <= 2 * len(ids)


@pytest.mark.parametrize("action", [HANG, CLOSE, GIBBERISH, ENDLESS, "421 4.3.2 closing", "550 no"])
def test_a_bad_goodbye_costs_nothing(pair: Pair, action: Action) -> None:
    """What happens at QUIT changes nothing about what was taken."""
    pair.hop.behave(Script({"quit": action}))
    ids = pair.send(2)
    assert pair.all_arrive(ids) == 0
    pair.hop.behave()
    assert pair.all_arrive(pair.send(1)) == 0


def test_a_server_that_is_down_costs_one_probe_at_a_time(pair: Pair) -> None:
    """While nobody listens everything is taken and kept; then it arrives over a handful of connections."""
    pair.hop.go_down()
    before = pair.hop.server.connections
    ids = pair.send(40)
    pair.hop.come_up()
    pair.hop.behave()
    assert pair.all_arrive(ids) == 0
    assert pair.hop.server.connections - before <= 10


def test_a_dead_server_that_takes_connections_is_asked_once_a_pause(pair: Pair) -> None:
    """Forty mails wait behind one that hangs at the banner: the connections are counted by time, not by mail."""
    pair.hop.behave(Script({"connect": HANG}))
    before = pair.hop.server.connections
    ids = pair.send(40)
    wait_until(lambda: pair.hop.server.met["connect"] >= 3, what="three probes")
    assert pair.hop.server.connections - before <= 10
    assert pair.hop.server.most_open <= 10
    pair.hop.behave()
    assert pair.all_arrive(ids) == 0


@pytest.mark.parametrize("state", ["mail", "rcpt", "data", "dot"])
def test_a_server_that_puts_off_every_mail_is_asked_once_a_pause(tmp_path: Path, state: str) -> None:
    """Sixty copies wait, and a few are tried; everything arrives once it takes mail, though no try of theirs is due."""
    with standing() as hop:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{hop.port}")
        with relay(config) as running:
            pair = Pair(running, hop)
            hop.behave(Script({state: "452 4.3.1 no room"}))
            ids = pair.send(30)
            wait_until(lambda: "puts off every mail" in running.log.read_text(), what="the pause")
            wait_until(lambda: running.log.read_text().count("puts off every mail") >= 2, what="a probe")
            asked = sum(line.startswith("RCPT") for commands in hop.server.commands for line in commands)
            assert asked <= 12
            hop.behave()
            assert pair.all_arrive(ids) == 0
            assert "takes mail again" in running.log.read_text()


@pytest.mark.parametrize("script", [Script(slow=0.05), Script(one_octet_at_a_time=True)])
def test_a_slow_server_is_waited_for(pair: Pair, script: Script) -> None:
    """Slow is not dead."""
    pair.hop.behave(script)
    ids = pair.send(5)
    assert pair.all_arrive(ids) == 0


@pytest.mark.parametrize("code", ["550 5.1.1 no such user", "450 4.2.0 later"])
@pytest.mark.parametrize("state", ["rcpt", "dot"])
def test_one_of_two_is_refused(pair: Pair, code: str, state: str) -> None:
    """The other partner has the mail at once, and once."""
    pair.hop.behave(Script({state: lambda line: code if "elaine" in line else None}))
    ids = pair.send(2)
    assert pair.all_arrive(ids, PARTNERS[:1]) == 0
    wait_until(lambda: pair.hop.server.met[state] >= 2, what="two refusals")
    pair.hop.behave()
    if code.startswith("4"):
        assert pair.all_arrive(ids) == 0
    after = pair.send(1)
    assert pair.all_arrive(after) == 0
    assert sum(pair.arrived()[id_, PARTNERS[1]] for id_ in ids) == (2 if code.startswith("4") else 0)


@pytest.mark.parametrize("lacking", ["PIPELINING", "SIZE 100000000", "8BITMIME", "SMTPUTF8", "all", "EHLO"])
def test_a_server_that_offers_less(pair: Pair, lacking: str) -> None:
    """An 8-bit original goes as it is, octet for octet, and nothing is said that was not offered."""
    offer = () if lacking in ("all", "EHLO") else tuple(o for o in PLAIN_OFFER if o != lacking)
    actions: dict[str, Action] = {"ehlo": "502 5.5.1 what?"} if lacking == "EHLO" else {}
    pair.hop.behave(Script(actions, offer))
    ids = pair.send(1, "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\nX-Name: J\u00fcrgen\r\n")
    assert pair.all_arrive(ids) == 0
    for one in pair.hop.server.received[-2:]:
        assert "X-Name: J\u00fcrgen\r\n".encode() in one.content
        assert ("BODY=8BITMIME" in one.mail) == ("8BITMIME" in offer)
        assert ("SIZE=" in one.mail) == any(word.startswith("SIZE") for word in offer)
    pair.hop.behave()
    assert pair.all_arrive(pair.send(1)) == 0


def test_the_log_says_when_it_was_lost_and_when_it_is_back(pair: Pair) -> None:
    """One line a probe with the reason, and one when the server takes mail again."""
    before = len(pair.relay.log.read_text())
    pair.hop.behave(Script({"connect": "421 4.3.2 having a rest"}))
    ids = pair.send(1)
    wait_until(lambda: pair.hop.server.met["connect"] >= 2, what="two probes")
    pair.hop.behave()
    assert pair.all_arrive(ids) == 0
    wait_until(lambda: "takes mail again" in pair.relay.log.read_text()[before:], what="a line in the log")
    said = pair.relay.log.read_text()[before:]
    assert "can't be used, next try in" in said
    assert "421 4.3.2 (it takes no mail now)" in said
    assert "having a rest" not in said, "its words may quote a mail"


def test_an_address_that_the_server_can_not_take_fails_in_words(tmp_path: Path) -> None:
    """A UTF-8 mailbox behind a server without SMTPUTF8 fails with 5.6.7; the other partner is told."""
    wide = "j\u00fcrgen@example.test"
    with standing(Script(offer=("PIPELINING", "8BITMIME"))) as hop:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{hop.port}", settings=QUICK)
        role = config / "roles" / "vp-hr.yaml"
        role.write_text(role.read_text().replace("elaine@example.test", wide), encoding="utf-8")
        with relay(config) as running:
            pair = Pair(running, hop)
            assert pair.all_arrive(pair.send(1), PARTNERS[:1]) == 0
            wait_until(
                lambda: any(b"A mail did not reach Elaine" in one.content for one in hop.server.received),
                what="a notice",
            )
    assert "5.6.7" in (tmp_path / "serve.log").read_text()


@pytest.mark.parametrize("state", ["connect", "rcpt", "dot"])
def test_a_crash_in_the_middle_of_a_trouble_loses_nothing(tmp_path: Path, state: str) -> None:
    """kill -9 while the next server hangs: after the start everything arrives, once, for nothing was taken."""
    with standing(Script({state: HANG})) as hop:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{hop.port}", settings=QUICK)
        with relay(config) as running:
            ids = Pair(running, hop).send(5)
            wait_until(lambda: hop.server.met[state] >= 1, what="the trouble")
            running.kill()
        hop.behave()
        with relay(config) as running:
            assert Pair(running, hop).all_arrive(ids) == 0
