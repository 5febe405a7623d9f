"""Strangers at the door take their share and no more: of the loop's time, of places, of memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from mailrouter.message.scanner import Scanner
from mailrouter.smtp.allowance import Allowance
from mailrouter.smtp.handler import Limits
from mailrouter.smtp.sessions import Sessions, network_of
from tests.support.gates import Doors, ListGate, MemorySpool, Talk, doors
from tests.support.messages import until

START = "MAIL FROM:<x@stranger.test>\r\n"
FLOODS = {
    "NOOP": "NOOP\r\n" * 40_000,
    "VRFY": "VRFY role@example.test\r\n" * 10_000,
    "RSET": "RSET\r\n" * 40_000,
    "EHLO": "EHLO x\r\n" * 30_000,
    "HELO": "HELO x\r\n" * 30_000,
    "unknown": "XYZZY\r\n" * 30_000,
    "MAIL and RSET": (START + "RSET\r\n") * 7_000,
    "MAIL, RCPT and RSET": (START + "RCPT TO:<role@example.test>\r\nRSET\r\n") * 4_000,
    "one RCPT": START + "RCPT TO:<role@example.test>\r\n" * 8_000,
    "many RCPT": START + "".join(f"RCPT TO:<role+{n}@example.test>\r\n" for n in range(7_000)),
    "refused RCPT": START + "RCPT TO:<no@example.test>\r\n" * 8_000,
}


async def honest(door: Doors) -> float:
    """The seconds that one honest mail takes."""
    began = time.perf_counter()
    talk = await door.greeted()
    await talk.open_message()
    talk.send(b"Subject: x\r\n\r\nhello\r\n.\r\n")
    assert (await talk.reply()).startswith("250")
    assert (await talk.say("QUIT")).startswith("221")
    return time.perf_counter() - began


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_of_commands_ends_in_words_and_an_honest_mail_is_not_kept_waiting(flood: str) -> None:
    """Whatever brings no mail is answered some hundred times, then 421; others are served meanwhile."""
    asked: list[str] = []

    def slow(address: str) -> str | None:
        asked.append(address)
        time.sleep(0.0001)  # as a look into the store
        return "550 5.7.1 Not here" if address.startswith("no") else None

    async with doors(ListGate(refuse=slow)) as door:
        idle = await honest(door)
        hostile = [await door.greeted() for _ in range(5)]
        for talk in hostile:
            talk.send(FLOODS[flood].encode())
        await asyncio.sleep(0)
        busy = await honest(door)
        ends = [await talk.rest() for talk in hostile]
    assert busy < idle + 3  # it was half a minute for each of them
    for said in ends:
        assert said.rstrip().split("\r\n")[-1].startswith("421 4.7.0 Too many"), said[-200:]
        assert said.count("\r\n") < 1300 * 7
    # One address is looked up once a transaction, however often it is named.
    assert len(asked) < 5 * 130


async def test_other_sessions_are_served_between_the_commands_of_one_that_pipelines() -> None:
    """Twenty thousand commands are no single turn of the loop, and their replies keep their order."""
    async with doors(ListGate(), Limits(max_idle_commands=10**9)) as door:
        flooding, other = await door.greeted(), await door.greeted()
        order: list[str] = []

        async def flood() -> None:
            flooding.send(b"NOOP\r\nVRFY x\r\n" * 10_000 + b"QUIT\r\n")
            replies = (await flooding.rest()).split("\r\n")
            order.append("flood")
            assert [reply[:3] for reply in replies] == ["250", "252"] * 10_000 + ["221", ""]

        async def one() -> None:
            await asyncio.sleep(0)
            await other.say("NOOP")
            order.append("one")

        await asyncio.gather(flood(), one())
    assert order == ["one", "flood"]


async def test_a_half_closed_client_that_pipelines_much_gets_all_its_replies() -> None:
    """The end of what a client sends waits for the turns that its commands take."""
    async with doors(ListGate(), Limits(max_idle_commands=10**9)) as door:
        talk = await door.greeted()
        talk.send(b"NOOP\r\n" * 1000 + b"MAIL FROM:<a@b.test>\r\nRCPT TO:<r@x.test>\r\nDATA\r\nx\r\n.\r\n")
        talk.writer.write_eof()
        assert (await talk.rest()).count("250 ") == 1003
    assert len(door.gate.accepted) == 1  # type: ignore[attr-defined]


async def test_mail_forgives_the_commands_before_it() -> None:
    """A client that resets, greets and asks before each of its mails is not sent away."""
    gate = ListGate()
    async with doors(gate) as door:
        talk = await door.greeted()
        for _ in range(10):
            await talk.say(*["RSET", "NOOP", "EHLO again.test"] * 20)
            await talk.open_message()
            talk.send(b"x\r\n.\r\n")
            assert (await talk.reply()).startswith("250")
    assert len(gate.accepted) == 10


def test_a_pool_that_keeps_its_connection_alive_for_hours_never_runs_out() -> None:
    """One command a second is given back, so keep-alives don't add up; a flood runs out at once."""
    allowance = Allowance(100)
    assert all(allowance.spend(1, now=5.0 * n) for n in range(100_000))
    flood = Allowance(100)
    assert [flood.spend(1, now=1.0) for _ in range(101)] == [True] * 100 + [False]
    flood.refill()
    assert flood.spend(100, now=1.0)


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
        ("local", "local"),
    ],
)
def test_an_ipv6_client_is_counted_by_its_network(client: str, network: str) -> None:
    """A /64 is one client's; IPv4 in IPv6 clothes is IPv4."""
    assert network_of(client) == network


class Peers:
    """``exempt`` for clients that are servers of ours while ``ours`` is set: all come from loopback."""

    ours = False

    def __call__(self, address: str) -> bool:
        return self.ours


async def test_strangers_leave_places_for_our_own_servers() -> None:
    """All places of strangers taken, our own mail server still gets in; and a stranger again once one has left."""
    peers = Peers()
    async with doors(ListGate(), Limits(max_connections=30, max_per_address=1000, exempt=peers)) as door:
        strangers = [await door.greeted() for _ in range(27)]
        late = await door.connect()
        assert (await late.rest()).startswith("421 4.3.2")
        peers.ours = True
        assert await honest(door) < 1
        peers.ours = False
        await strangers[0].say("QUIT")
        await until(lambda: len(door.sessions) == 26)
        await door.greeted()
        assert door.sessions.traffic.limited == {"places": 1}


async def test_a_thousand_places_keep_a_tenth_and_few_keep_twenty() -> None:
    """The reserve: the last tenth, at least twenty of a hundred or more."""
    loop = asyncio.get_running_loop()
    found = [Sessions(Limits(max_connections=n), loop).strangers_places for n in (1000, 150, 10, 2)]
    assert found == [900, 130, 9, 2]


QUIET: dict[str, Callable[[Talk], None]] = {
    "says nothing": lambda talk: None,
    "stops in its message": lambda talk: talk.send(
        b"MAIL FROM:<a@b.test>\r\nRCPT TO:<r@x.test>\r\nDATA\r\nx"
    ),
}


@pytest.mark.parametrize("how", QUIET)
async def test_where_places_are_short_idle_strangers_make_room_and_ours_do_not(how: str) -> None:
    """Idle connections of strangers are ended soon while most places are taken, and not while there are many."""
    peers = Peers()
    limits = Limits(max_connections=20, max_per_address=1000, exempt=peers, short_idle_seconds=0.3)
    async with doors(ListGate(), limits) as door:
        peers.ours = True
        ours = await door.greeted()
        peers.ours = False
        few = [await door.greeted() for _ in range(10)]
        await asyncio.sleep(0.8)
        assert len(door.sessions) == 11
        many = [await door.greeted() for _ in range(8)]
        for talk in (*few, *many):
            QUIET[how](talk)
        await until(lambda: len(door.sessions) <= 13, 5)
        said = await few[0].rest()
        assert "421 4.4.2 Many are waiting" in said
        assert (await ours.say("NOOP")).startswith("250")
        assert door.sessions.traffic.limited["idle"] >= 5


async def test_a_trickle_does_not_keep_a_place_while_places_are_short() -> None:
    """NOOPs, or an octet now and then, are no use of a place that others wait for; a large mail that comes fast is."""
    limits = Limits(max_connections=10, short_message_seconds=0.4, short_rate=10_000.0)
    gate = ListGate(limit=10_000_000)
    async with doors(gate, limits) as door:
        quick = await door.greeted()
        await quick.open_message()
        talks = [await door.greeted() for _ in range(7)]
        for talk in talks[:3]:
            await talk.open_message()
        for _ in range(12):
            quick.send(b"x" * 50_000 + b"\r\n")
            for talk in talks[:3]:
                talk.send(b"x")
            for talk in talks[3:]:
                talk.send(b"NOOP\r\n")
            await asyncio.sleep(0.1)
        quick.send(b".\r\n")
        assert (await quick.reply()).startswith("250")
        assert door.sessions.traffic.limited["idle"] >= 1


async def test_memory_of_all_sessions_is_bounded_and_slow_strangers_make_room() -> None:
    """Messages that stop half-way hold no more than the bound; those that arrive get through; all is given back."""

    class Keeping(ListGate):
        """Whose spools hold what comes, as the store's do."""

        def spool(self) -> MemorySpool:
            super().spool()
            found = self.spools[-1]

            def hold(block: bytes) -> bool:
                found.blocks.append(block)
                found.size += len(block)
                found.held = found.size
                return False

            found.hold = hold  # type: ignore[method-assign]
            return found

    most = 6_000_000
    limits = Limits(max_per_address=1000, held_octets=most, slow_seconds=0.3, slow_rate=500_000.0)
    async with doors(Keeping(limit=None), limits) as door:
        slow = [await door.greeted() for _ in range(100)]
        highest = 0
        for talk in slow:
            talk.send(
                b"MAIL FROM:<a@b.test>\r\nRCPT TO:<r@x.test>\r\nDATA\r\n" + (b"y" * 98 + b"\r\n") * 1500
            )
            await asyncio.sleep(0.005)
            highest = max(highest, door.sessions.held)
        took = await honest(door)
        assert took < 8
        talk = await door.greeted()
        await talk.open_message()
        for _ in range(10):
            talk.send((b"z" * 98 + b"\r\n") * 150)
            await asyncio.sleep(0.02)
            highest = max(highest, door.sessions.held)
        talk.send(b".\r\n")
        assert (await talk.reply()).startswith("250")
        assert most / 2 < highest < most + 600_000
        assert door.sessions.traffic.limited["slow"] > 5
        assert "421 4.3.2 There is little memory left" in await slow[0].rest()
        for other in slow:
            other.reset()
        await until(lambda: len(door.sessions) == 1)
        assert door.sessions.held == 0


async def test_a_message_in_two_octet_pieces_costs_its_size_and_not_the_square() -> None:
    """Header and body of a quarter of a megabyte, two octets at a time."""

    def cost(size: int) -> float:
        scanner, piece = Scanner(), b"a:"
        began = time.thread_time()
        for _ in range(size // 2):
            scanner.feed(piece)
        return time.thread_time() - began

    small, large = min(cost(20_000) for _ in range(3)), min(cost(160_000) for _ in range(2))
    assert large < 24 * small
