"""The door over a real socket: what it answers, and that 250 is only ever said after a commit."""

from __future__ import annotations

import asyncio
import logging

import pytest

from mailrouter.errors import StoreError, StoreFull
from mailrouter.smtp.handler import Limits
from mailrouter.smtp.session import MAX_COMMAND
from tests.support.gates import HOST, ListGate, Talk, doors
from tests.support.messages import until

SECRET = "/very/private/path"


async def test_a_message_is_taken_whole() -> None:
    """The gate gets envelope, content without its stuffing, and who sent it."""
    gate = ListGate()
    async with doors(gate) as door:
        talk = await door.greeted()
        await talk.open_message("<b@c.test>"[1:-1], "role@example.test")
        talk.send(b"Subject: x\r\n\r\n..dot\r\n.\r\n")
        assert await talk.reply() == "250 2.0.0 queued as 1"
        assert await talk.say("QUIT") == "221 2.0.0 Goodbye"
        assert await talk.rest() == ""
    client, envelope, content = gate.accepted[0]
    assert (client.address, client.helo, client.protocol) == ("127.0.0.1", "client.test", "ESMTP")
    assert (envelope.reverse_path, envelope.recipients) == ("b@c.test", ["role@example.test"])
    assert content == b"Subject: x\r\n\r\n.dot\r\n"


async def test_the_offer_after_ehlo() -> None:
    """EHLO names what is obeyed, SIZE with its limit; HELO names nothing."""
    async with doors(ListGate(limit=12345)) as door:
        talk = await door.connect()
        assert await talk.reply() == f"220 {HOST} ESMTP"
        offer = (await talk.say("EHLO x")).split("\n")
        assert [line[4:] for line in offer] == [
            HOST, "PIPELINING", "SIZE 12345", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES",
        ]  # fmt: skip
        assert await talk.say("HELO x") == f"250 {HOST}"


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("VRFY role@example.test", "252 2.5.0"),
        ("EXPN role", "502 5.5.1"),
        ("AUTH PLAIN AGEAYg==", "502 5.5.1"),
        ("STARTTLS", "502 5.5.1"),
        ("BDAT 10 LAST", "502 5.5.1"),
        ("GET / HTTP/1.1", "502 5.5.1"),
        ("", "502 5.5.1"),
        ("EHLO", "501 5.5.4"),
        ("HELO  ", "501 5.5.4"),
        ("NOOP whatever", "250 2.0.0"),
        ("noop", "250 2.0.0"),
        ("RCPT TO:<a@b.test>", "503 5.5.1 Say MAIL"),
        ("DATA", "503 5.5.1 Say MAIL"),
        ("DATA now", "501 5.5.4"),
        ("RSET", "250 2.0.0"),
    ],
)
async def test_commands_and_their_answers(command: str, reply: str) -> None:
    """Each command outside a message has its own reply, with an enhanced code."""
    async with doors(ListGate()) as door:
        talk = await door.greeted()
        assert (await talk.say(command)).startswith(reply)
        assert (await talk.say("NOOP")).startswith("250")


async def test_order_of_commands() -> None:
    """MAIL needs EHLO, comes once a message, and DATA needs a recipient."""
    async with doors(ListGate()) as door:
        talk = await door.connect()
        await talk.reply()
        assert (await talk.say("MAIL FROM:<a@b.test>")).startswith("503")
        assert (await talk.say("EHLO x", "MAIL FROM:<a@b.test>")).startswith("250")
        assert (await talk.say("MAIL FROM:<a@b.test>")).startswith("503")
        assert (await talk.say("DATA")).startswith("503 5.5.1 Say RCPT")


@pytest.mark.parametrize("reset", ["RSET", "EHLO again.test", "HELO again.test"])
async def test_a_reset_forgets_the_envelope(reset: str) -> None:
    """After RSET, EHLO or HELO neither sender nor recipients remain (RFC 5321 §4.1.4)."""
    gate = ListGate()
    async with doors(gate) as door:
        talk = await door.greeted()
        await talk.say("MAIL FROM:<old@b.test>", "RCPT TO:<old@example.test>", reset)
        assert (await talk.say("RCPT TO:<a@b.test>")).startswith("503")
        await talk.open_message("new@b.test", "new@example.test")
        talk.send(b"x\r\n.\r\n")
        await talk.reply()
    assert gate.accepted[0][1].recipients == ["new@example.test"]


async def test_the_null_reverse_path_is_empty_text() -> None:
    """``<>`` arrives as "" and not as two characters that count as true."""
    gate = ListGate()
    async with doors(gate) as door:
        talk = await door.greeted()
        await talk.open_message("")
        talk.send(b"x\r\n.\r\n")
        await talk.reply()
    assert gate.accepted[0][1].reverse_path == ""


async def test_a_door_whose_gate_fails_never_says_250() -> None:
    """Without a working gate no message is accepted, and nobody learns why."""

    async def fail() -> None:
        raise RuntimeError(SECRET)

    async with doors(ListGate(before_commit=fail)) as door:
        talk = await door.greeted()
        for _ in range(2):
            await talk.open_message()
            talk.send(b"x\r\n.\r\n")
            reply = await talk.reply()
            assert reply.startswith("451 4.3.0")
            assert SECRET not in reply
            assert "RuntimeError" not in reply
        assert all(spool.discarded for spool in door.gate.spools)  # type: ignore[attr-defined]


@pytest.mark.parametrize("step", ["recipient", "spool", "max_size"])
async def test_a_fault_of_the_gate_is_temporary_and_leaves_a_fresh_envelope(step: str) -> None:
    """Wherever the gate raises, what was pipelined behind it fails with 451, and the next MAIL works."""

    class Faulty(ListGate):
        broken = True

        def recipient(self, address: str) -> str | None:
            if step == "recipient" and self.broken:
                raise OSError(SECRET)
            return None

        def spool(self):  # type: ignore[no-untyped-def]
            if step == "spool" and self.broken:
                raise OSError(SECRET)
            return super().spool()

        def max_size(self) -> int | None:
            if step == "max_size" and self.broken:
                raise OSError(SECRET)
            return None

    gate = Faulty()
    gate.broken = False
    async with doors(gate) as door:
        talk = await door.greeted()
        gate.broken = True
        talk.send(b"MAIL FROM:<a@b.test>\r\nRCPT TO:<r1@x.test>\r\nRCPT TO:<r2@x.test>\r\nDATA\r\n")
        replies = [await talk.reply() for _ in range(4)]
        gate.broken = False
        assert not any(reply.startswith(("5", "354")) for reply in replies), replies
        assert "451 4.3.0" in replies[-1]
        assert not any(SECRET in reply for reply in replies)
        await talk.open_message()
        talk.send(b"x\r\n.\r\n")
        assert (await talk.reply()).startswith("250")


@pytest.mark.parametrize(
    ("error", "code"),
    [(StoreFull("full"), "452 4.3.1"), (StoreError(SECRET), "451 4.3.0"), (ValueError(SECRET), "451 4.3.0")],
)
async def test_faults_of_the_store_are_temporary(error: Exception, code: str) -> None:
    """No room is 452, all else 451: while the text arrives as well as at its end; the next message is
    taken."""
    faults = [error]

    def fail() -> None:
        if faults:
            raise faults[0]

    async def fail_later() -> None:
        fail()

    for gate in (ListGate(before_write=fail), ListGate(before_commit=fail_later)):
        faults[:] = [error]
        async with doors(gate) as door:
            talk = await door.greeted()
            await talk.open_message()
            talk.send(b"MAIL FROM:<evil@b.test>\r\n.\r\n")
            reply = await talk.reply()
            assert reply.startswith(code)
            assert SECRET not in reply
            assert gate.spools[0].discarded
            faults.clear()
            await talk.open_message()
            talk.send(b"x\r\n.\r\n")
            assert (await talk.reply()).startswith("250")


async def test_a_session_that_ends_in_mid_commit_does_not_tear_it() -> None:
    """The commit goes on to its end although the client has gone."""
    committing, go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        committing.set()
        await go_on.wait()

    gate = ListGate(before_commit=wait)
    async with doors(gate) as door:
        talk = await door.greeted()
        await talk.open_message()
        talk.send(b"x\r\n.\r\n")
        await committing.wait()
        talk.reset()
        await door.all_closed()
        assert not gate.accepted
        go_on.set()
        await until(lambda: gate.accepted)
    assert gate.contents == [b"x\r\n"]
    assert not gate.spools[0].discarded


@pytest.mark.parametrize("reset", [False, True])
async def test_a_client_that_leaves_before_the_end_leaves_nothing(reset: bool) -> None:
    """Text without its end is discarded, whether the connection is closed or reset."""
    gate = ListGate()
    async with doors(gate) as door:
        talk = await door.greeted()
        await talk.open_message()
        talk.send(b"half a line")
        await talk.writer.drain()
        await until(lambda: bool(gate.spools[0].blocks))
        if reset:
            talk.reset()
        else:
            talk.writer.close()
        await until(lambda: gate.spools[0].discarded)
        assert not gate.accepted


async def test_a_half_closed_client_gets_its_replies() -> None:
    """A client that has said everything may stop sending and still reads all replies."""
    gate = ListGate()
    async with doors(gate) as door:
        talk = await door.connect()
        talk.send(
            b"EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<r@x.test>\r\nDATA\r\nhello\r\n.\r\nMAIL FROM:<>\r\n"
        )
        talk.writer.write_eof()
        text = await talk.rest()
        assert "250 2.0.0 queued as 1" in text
        assert text.endswith("250 2.1.0 OK\r\n")
    assert gate.contents == [b"hello\r\n"]


async def test_pipelined_commands_and_messages() -> None:
    """Two whole messages in one write, cut anywhere, are two messages with replies in order (RFC 2920)."""
    one = b"MAIL FROM:<a@b.test>\r\nRCPT TO:<r@x.test>\r\nDATA\r\nn\r\n.\r\n"
    for step in (1, 7, 1000):
        gate = ListGate()
        async with doors(gate) as door:
            talk = await door.greeted()
            wire = one + one + b"QUIT\r\n"
            for at in range(0, len(wire), step):
                talk.send(wire[at : at + step])
                await asyncio.sleep(0)
            replies = (await talk.rest()).split("\r\n")
        assert [reply[:3] for reply in replies] == ["250", "250", "354", "250"] * 2 + ["221", ""]
        assert gate.contents == [b"n\r\n"] * 2


async def test_the_size_limit_by_word_and_by_count() -> None:
    """SIZE= above the limit refuses MAIL; more octets than the limit refuse the message, and the session goes
    on."""
    gate = ListGate(limit=1000)
    async with doors(gate) as door:
        talk = await door.greeted()
        assert (await talk.say("MAIL FROM:<a@b.test> SIZE=1001")).startswith("552 5.3.4")
        await talk.open_message()
        talk.send(b"x" * 998 + b"\r\n.\r\n")
        assert (await talk.reply()).startswith("250")
        await talk.open_message()
        talk.send(b"x" * 999 + b"\r\n" + b"y" * 100_000 + b"\r\n.\r\n")
        assert (await talk.reply()).startswith("552 5.3.4")
        assert gate.spools[1].discarded
        await talk.open_message()
        talk.send(b"z\r\n.\r\n")
        assert (await talk.reply()).startswith("250")
    assert len(gate.accepted) == 2


async def test_too_many_recipients_are_asked_to_come_later() -> None:
    """The recipient above the limit gets 452 4.5.3; those before it stand, each once."""
    gate = ListGate()
    async with doors(gate, Limits(max_recipients=2)) as door:
        talk = await door.greeted()
        await talk.say(
            "MAIL FROM:<a@b.test>", "RCPT TO:<r1@x.test>", "RCPT TO:<r1@x.test>", "RCPT TO:<r2@x.test>"
        )
        assert (await talk.say("RCPT TO:<r3@x.test>")).startswith("452 4.5.3")
        await talk.say("DATA")
        talk.send(b"x\r\n.\r\n")
        assert (await talk.reply()).startswith("250")
    assert gate.accepted[0][1].recipients == ["r1@x.test", "r2@x.test"]


async def test_a_refused_recipient_leaves_the_others() -> None:
    """The gate's refusal is given as it is, and the message goes to the rest."""
    gate = ListGate(refuse=lambda address: "550 5.7.1 Not here" if address.startswith("no") else None)
    async with doors(gate) as door:
        talk = await door.greeted()
        await talk.say("MAIL FROM:<a@b.test>")
        assert await talk.say("RCPT TO:<no@x.test>") == "550 5.7.1 Not here"
        assert (await talk.say("DATA")).startswith("503")
        await talk.say("RCPT TO:<yes@x.test>", "DATA")
        talk.send(b"x\r\n.\r\n")
        assert (await talk.reply()).startswith("250")
    assert gate.accepted[0][1].recipients == ["yes@x.test"]


async def test_a_line_without_end_costs_little_memory() -> None:
    """A command that never ends is given up after a few kilobytes."""
    async with doors(ListGate()) as door:
        talk = await door.greeted()
        talk.send(b"x" * (2 * MAX_COMMAND + 1))
        assert (await talk.reply()).startswith("500 5.5.2")
        await door.all_closed()


async def test_a_line_too_long_is_refused() -> None:
    """A whole line above the limit is one error, and the next command is read."""
    async with doors(ListGate()) as door:
        talk = await door.greeted()
        assert (await talk.say("NOOP " + "x" * MAX_COMMAND)).startswith("500 5.5.2")
        assert (await talk.say("NOOP")).startswith("250")


async def test_too_many_errors_end_the_session_and_mail_that_is_taken_forgives() -> None:
    """After so many refusals in a row the door says goodbye; a message between them starts the count anew."""
    async with doors(ListGate(), Limits(max_errors=3)) as door:
        talk = await door.greeted()
        await talk.say("BAD", "BAD")
        await talk.open_message()
        talk.send(b"x\r\n.\r\n")
        await talk.reply()
        assert (await talk.say("BAD", "BAD", "BAD")).startswith("502")
        assert (await talk.rest()).startswith("421 4.7.0")


async def test_the_connection_above_the_limit_is_asked_to_come_later() -> None:
    """A connection too many gets 421; when another has gone, there is room again."""
    async with doors(ListGate(), Limits(max_connections=2)) as door:
        first, _ = await door.greeted(), await door.greeted()
        third = await door.connect()
        assert (await third.rest()).startswith("421 4.3.2")
        await first.say("QUIT")
        await until(lambda: len(door.sessions) == 1)
        await door.greeted()


async def test_one_client_can_t_keep_others_out() -> None:
    """A client's connections are counted, but for servers of ours, through which everybody's mail comes."""
    async with doors(ListGate(), Limits(max_per_address=1)) as door:
        first = await door.greeted()
        second = await door.connect()
        assert (await second.rest()).startswith("421 4.7.0 Too many connections from your address")
        await first.say("QUIT")
        await until(lambda: not door.sessions)
        await door.greeted()
    async with doors(ListGate(), Limits(max_per_address=1, exempt=lambda address: True)) as door:
        await door.greeted()
        await door.greeted()


async def test_after_so_many_messages_another_connection_is_asked_for() -> None:
    """The message that is under way is taken; the next one gets 421, and the connection ends."""
    async with doors(ListGate(), Limits(max_messages=1)) as door:
        talk = await door.greeted()
        await talk.open_message()
        talk.send(b"x\r\n.\r\n")
        assert (await talk.reply()).startswith("250")
        assert (await talk.say("MAIL FROM:<a@example.test>")).startswith("421 4.7.0")
        assert await talk.rest() == ""


async def idle_goodbye(talk: Talk) -> None:
    """The server says that it waited in vain, and closes."""
    assert (await talk.rest()).startswith("421 4.4.2")


async def test_silence_ends_a_session() -> None:
    """A client that says nothing is let go, in a command, in the text, and if it does not read its
    replies."""
    async with doors(ListGate(), Limits(idle_seconds=0.05)) as door:
        talk = await door.greeted()
        await idle_goodbye(talk)
        talk = await door.greeted()
        await talk.open_message()
        await idle_goodbye(talk)
        assert not door.gate.accepted  # type: ignore[attr-defined]


async def test_noops_do_not_hold_a_connection_for_ever() -> None:
    """A session that takes no message comes to its end, however busy it looks."""
    async with doors(ListGate(), Limits(message_seconds=0.1, max_idle_commands=10**9)) as door:
        talk = await door.greeted()
        reply = "250"
        while reply.startswith("250"):
            reply = await talk.say("NOOP")
        assert reply.startswith("421 4.4.2")


async def test_silence_does_not_end_a_commit() -> None:
    """While a message is being committed the idle timer waits."""
    loop = asyncio.get_running_loop()
    begun = loop.time()

    async def slow() -> None:
        await until(lambda: loop.time() >= begun + 0.15)

    async with doors(ListGate(before_commit=slow), Limits(idle_seconds=0.05)) as door:
        talk = await door.greeted()
        await talk.open_message()
        talk.send(b"x\r\n.\r\n")
        assert (await talk.reply()).startswith("250")


async def test_stopping_answers_the_message_whose_end_was_seen() -> None:
    """end_soon closes idle sessions and open texts at once, and lets a commit end and be answered."""
    committing, go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        committing.set()
        await go_on.wait()

    gate = ListGate(before_commit=wait)
    async with doors(gate) as door:
        idle, midway, whole = await door.greeted(), await door.greeted(), await door.greeted()
        await midway.open_message()
        midway.send(b"no end yet\r\n")
        await until(lambda: gate.spools[0].blocks)
        await whole.open_message()
        whole.send(b"x\r\n.\r\nMAIL FROM:<next@b.test>\r\n")
        await committing.wait()
        for session in list(door.sessions):
            session.end_soon()
        assert (await idle.rest()).startswith("421 4.3.2")
        midway.send(b".\r\n")
        assert (await midway.rest()).startswith("421 4.3.2")
        assert [session.committing for session in door.sessions] == [True]
        go_on.set()
        lines = (await whole.rest()).split("\r\n")
        assert [line[:9] for line in lines] == ["250 2.0.0", "421 4.3.2", ""]
        await door.all_closed()
    assert gate.contents == [b"x\r\n"]


async def test_a_session_counts_as_committing_from_the_end_of_the_text() -> None:
    """A stop that comes while the last block is still being written waits for this message too."""
    gate = ListGate()
    async with doors(gate) as door:
        seen: list[bool] = []
        gate.before_write = lambda: seen.append(any(session.committing for session in door.sessions))
        talk = await door.greeted()
        await talk.open_message()
        talk.send(b"x\r\n.\r\n")
        await talk.reply()
        assert seen == [True]
        assert not any(session.committing for session in door.sessions)


async def test_a_fault_in_reading_the_text_never_turns_text_into_commands(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """If a message can't even be discarded after a fault, its text is still read as text, to its end."""

    class Cursed(ListGate):
        def spool(self):  # type: ignore[no-untyped-def]
            spool = super().spool()

            async def discard() -> None:
                raise RuntimeError(SECRET)

            spool.discard = discard  # type: ignore[method-assign]
            return spool

    gate = Cursed(limit=10)
    with caplog.at_level(logging.CRITICAL, logger="mailrouter.door"):
        async with doors(gate) as door:
            talk = await door.greeted()
            await talk.open_message()
            talk.send(b"x" * 20 + b"\r\nRSET\r\nNOOP\r\nVRFY a\r\n.\r\n")
            assert (await talk.reply()).startswith("552 5.3.4")
            assert (await talk.say("NOOP")).startswith("250")
    assert not gate.accepted


async def test_large_and_eight_bit_text_arrives_unchanged() -> None:
    """Three megabytes with every octet but CR, LF and NUL come through as they were sent."""
    line = bytes(octet for octet in range(1, 256) if octet not in b"\r\n") * 3 + b"\r\n"
    content = (b"." + line) * 4000
    gate = ListGate(limit=10_000_000)
    async with doors(gate) as door:
        talk = await door.greeted()
        await talk.open_message()
        talk.send(content.replace(b"\r\n.", b"\r\n..").replace(b".", b"..", 1) + b".\r\n")
        assert (await talk.reply()).startswith("250")
    assert gate.contents == [content]


async def test_a_stop_in_the_middle_of_a_large_message_takes_nothing() -> None:
    """A session that is told to come again while the store is busy with its text does not take the message."""
    gate = ListGate()
    async with doors(gate) as door:
        busy = asyncio.Event()

        def stop() -> None:
            busy.set()
            for session in list(door.sessions):
                session.end_soon()

        gate.before_write = stop
        talk = await door.greeted()
        await talk.open_message()
        talk.send(b"no end in this block\r\n")
        await busy.wait()
        assert (await talk.rest()).startswith("421 4.3.2")
        await until(lambda: gate.spools[0].discarded)
    assert not gate.accepted


async def test_messages_that_are_refused_after_their_text_are_errors_too() -> None:
    """Each costs as much as one that is taken; a client whose mail is never fit to take is sent away."""
    gate = ListGate(limit=4)
    async with doors(gate, Limits(max_errors=3)) as door:
        talk = await door.greeted()
        for last in (False, False, True):
            await talk.open_message()
            talk.send(b"Subject: too large\r\n.\r\n")
            assert (await talk.reply()).startswith("552")
            if last:
                assert (await talk.reply()).startswith("421 4.7.0")
        assert await talk.rest() == ""
        assert door.sessions.traffic.limited["errors"] == 1
