"""The sending client against servers that misbehave: each message's result is right, and the next one goes
on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from mailrouter.smtp.client import Connection, Outgoing, PeerError, Reply, Timeouts
from mailrouter.smtp.envelope import begin, check_recipient, read_path
from tests.support.misbehaving import (
    CLOSE,
    ENDLESS,
    GIBBERISH,
    HANG,
    PLAIN_OFFER,
    Action,
    Misbehaving,
    Script,
    misbehaving,
)
from tests.support.ports import free_port

QUICK = Timeouts(connect=5, reply=0.4, data_end=0.5)
NO_PIPELINING = tuple(word for word in PLAIN_OFFER if word != "PIPELINING")
CONTENT = b"Subject: x\r\n\r\n.dot\r\n..\r\nend\r\n"


def mail(recipient: str, content: bytes = CONTENT, **more: object) -> Outgoing:
    """A small message."""
    return Outgoing("from@x.test", recipient, len(content), content=content, **more)  # type: ignore[arg-type]


class Sent:
    """What ``deliver`` was given, and what it settled: recipient to reply, in order."""

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self.left = list(messages)
        self.taken: list[Outgoing] = []
        self.settled: list[tuple[str, str]] = []
        self.error = ""

    async def take(self) -> Outgoing | None:
        """The next message."""
        if not self.left:
            return None
        self.taken.append(self.left.pop(0))
        return self.taken[-1]

    async def settle(self, message: Outgoing, reply: Reply) -> None:
        """Remember a result."""
        self.taken.remove(message)
        self.settled.append((message.recipient, str(reply)))

    @property
    def codes(self) -> list[str]:
        """The settled codes."""
        return [reply[:3] for _, reply in self.settled]


async def send(server: Misbehaving, *messages: Outgoing, timeouts: Timeouts = QUICK) -> Sent:
    """Send all messages over one connection, as far as it goes."""
    sent = Sent(messages)
    try:
        connection = await Connection.open("127.0.0.1", server.port, "client.test", timeouts)
    except PeerError as error:
        sent.error = str(error)
        return sent
    try:
        await connection.deliver(sent.take, sent.settle)
        await connection.quit()
    except PeerError as error:
        sent.error = str(error)
    finally:
        connection.abort()
    return sent


@pytest.mark.parametrize("offer", [PLAIN_OFFER, NO_PIPELINING, ()])
@pytest.mark.parametrize("slow", [False, True])
async def test_messages_arrive_unchanged_in_order(offer: tuple[str, ...], slow: bool) -> None:
    """With and without extensions, and from a server that replies octet by octet."""
    contents = [CONTENT, b"", b".\r\n", b"no end of line", b"a\r\n.\r\n.\r\n", b"x" * 100_000 + b"\r\n"]
    async with misbehaving(Script(offer=offer, one_octet_at_a_time=slow)) as server:
        sent = await send(server, *(mail(f"r{n}@x.test", content) for n, content in enumerate(contents)))
    assert sent.codes == ["250"] * len(contents)
    ended = [content + (b"" if content.endswith(b"\r\n") or not content else b"\r\n") for content in contents]
    assert [one.content for one in server.received] == ended
    assert server.commands[0][-1] == "QUIT"


async def test_commands_travel_together() -> None:
    """MAIL, RCPT, DATA need no reply in between, and the next message's travel with this one's end."""
    async with misbehaving(Script(withhold=True)) as server:
        sent = await send(server, *(mail(f"r{n}@x.test") for n in range(4)))
        # The last end has no DATA behind it, so its reply never comes from this server.
        assert sent.codes == ["250"] * 3
        assert [message.begun for message in sent.taken] == [True]
    assert len(server.received) == 4


async def test_a_smaller_extension_list_is_obeyed() -> None:
    """SIZE, BODY, SMTPUTF8 and NOTIFY are said to servers that offer them, and to no others."""
    message = Outgoing("", "r@x.test", 5, True, True, b"\xff\r\n")
    async with misbehaving(Script(offer=(*PLAIN_OFFER, "DSN"))) as server:
        await send(server, message)
        assert server.commands[0][1:3] == [
            "MAIL FROM:<> SIZE=5 BODY=8BITMIME SMTPUTF8",
            "RCPT TO:<r@x.test> NOTIFY=NEVER",
        ]
    async with misbehaving(Script(offer=())) as server:
        await send(server, message)
        assert server.commands[0][1:3] == ["MAIL FROM:<>", "RCPT TO:<r@x.test>"]


async def test_reports_on_our_copies_are_asked_for_in_our_own_words() -> None:
    """RFC 3461: without the content, under our ENVID and ORCPT, and never of success; in xtext."""
    message = Outgoing("vp-hr+b-x@x.test", "a+b=c@x.test", 5, content=b"a\r\n", envid="1b+=c")
    wide = Outgoing("vp-hr+b-x@x.test", "jürgen@x.test", 5, content=b"a\r\n")
    async with misbehaving(Script(offer=("DSN", "SMTPUTF8"))) as server:
        await send(server, message, wide)
    mail_line, rcpt, _, wide_mail, wide_rcpt = server.commands[0][1:6]
    assert mail_line == "MAIL FROM:<vp-hr+b-x@x.test> RET=HDRS ENVID=1b+2B+3Dc"
    assert rcpt == "RCPT TO:<a+b=c@x.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bb+3Dc@x.test"
    assert wide_mail == "MAIL FROM:<vp-hr+b-x@x.test> SMTPUTF8 RET=HDRS"
    assert wide_rcpt == "RCPT TO:<jürgen@x.test> NOTIFY=FAILURE,DELAY ORCPT=utf-8;j\\x{FC}rgen@x.test"
    # What we say is what our own door reads.
    check_recipient(read_path("TO", rcpt.removeprefix("RCPT ").encode()))
    check_recipient(read_path("TO", wide_rcpt.removeprefix("RCPT ").encode()), smtputf8=True)
    assert (
        begin(read_path("FROM", mail_line.removeprefix("MAIL ").encode()), None).dsn["ENVID"] == "1b+2B+3Dc"
    )


async def test_what_the_server_can_not_take_is_refused_before_it_is_sent() -> None:
    """Too large, letters without SMTPUTF8, a line break in an address: refused here, and the others go."""
    messages = [
        mail("big@x.test", bytes(200)),
        mail("jürgen@x.test", b"a\r\n"),
        mail("evil@x.test>\r\nRSET\r\nNOOP <", b"a\r\n"),
        mail("fine@x.test", b"a\r\n"),
    ]
    async with misbehaving(Script(offer=("PIPELINING", "SIZE 100"))) as server:
        sent = await send(server, *messages)
    assert sent.codes == ["552", "553", "553", "250"]
    assert [one.recipients for one in server.received] == [["fine@x.test"]]
    async with misbehaving() as server:
        assert (await send(server, mail("jürgen@x.test"))).codes == ["250"]
    assert server.received[0].mail.endswith(" SMTPUTF8")


@pytest.mark.parametrize("offered", ["SIZE", "SIZE 0", "SIZE ²", "SIZE " + "9" * 5000, "SIZE x"])
async def test_odd_sizes_are_no_limit(offered: str) -> None:
    """A SIZE that names no usable number is no limit and no fault."""
    async with misbehaving(Script(offer=(offered,))) as server:
        assert (await send(server, mail("a@x.test"))).codes == ["250"]


@pytest.mark.parametrize("ehlo", ["500 5.5.1 what?", "502 5.5.1 no"])
async def test_a_server_that_refuses_ehlo_is_greeted_with_helo(ehlo: str) -> None:
    """Then it has no extensions, and takes mail all the same."""
    async with misbehaving(Script({"ehlo": ehlo})) as server:
        assert (await send(server, mail("a@x.test"))).codes == ["250"]
    assert server.commands[0][:3] == ["EHLO client.test", "HELO client.test", "MAIL FROM:<from@x.test>"]


async def test_a_server_that_has_no_time_for_ehlo_is_left() -> None:
    """Greeted with HELO it would seem to have no extensions, and mail that needs one would fail for good."""
    async with misbehaving(Script({"ehlo": "451 4.3.0 not now"})) as server:
        with pytest.raises(PeerError, match="451"):
            await Connection.open("127.0.0.1", server.port, "client.test", QUICK)


@pytest.mark.parametrize(
    ("state", "action", "codes"),
    [
        ("connect", "554 5.7.1 found zebraquartz", "554 5.7.1"),
        ("connect", "421 found 5.7.1 zebraquartz", "421"),
        ("connect", "421-found\r\n421 zebraquartz", "421"),
        ("connect", "found zebraquartz", "understood"),
        ("ehlo", "451 4.3.0 found zebraquartz", "451 4.3.0"),
        ("ehlo", "found zebraquartz", "understood"),
    ],
)
async def test_what_a_server_says_in_its_greeting_is_told_from_what_we_say(
    state: str, action: str, codes: str
) -> None:
    """The error's text has the codes alone; its words stand apart, for whoever may see them."""
    async with misbehaving(Script({state: action})) as server:
        with pytest.raises(PeerError) as raised:
            await Connection.open("127.0.0.1", server.port, "client.test", QUICK)
    assert codes in str(raised.value)
    assert "zebraquartz" not in str(raised.value)
    assert "zebraquartz" in raised.value.in_full


@pytest.mark.parametrize("offer", [PLAIN_OFFER, NO_PIPELINING])
@pytest.mark.parametrize(("state", "answer"), [("mail", "354 go"), ("rcpt", "354 go"), ("data", "250 ok")])
async def test_an_answer_out_of_place_ends_the_connection(
    offer: tuple[str, ...], state: str, answer: str
) -> None:
    """Who answers another question may do so again: nothing more is believed, and the message comes again."""
    turn = iter(range(100))
    script = Script({state: lambda line: answer if next(turn) == 1 else None}, offer)
    async with misbehaving(script) as server:
        sent = await send(server, mail("a@x.test"), mail("b@x.test"), mail("c@x.test"))
    assert sent.codes == ["250", "451"]
    assert "out of place" in sent.error
    assert [one.recipients for one in server.received] == [["a@x.test"]]


@pytest.mark.parametrize("offer", [PLAIN_OFFER, NO_PIPELINING])
@pytest.mark.parametrize("state", ["mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize("code", ["450 4.2.0", "550 5.1.1"])
async def test_a_refusal_is_one_messages_own(offer: tuple[str, ...], state: str, code: str) -> None:
    """The middle one of three is refused in some state; it alone gets that answer, and nothing is nested."""
    turn = iter(range(100))

    def answer(line: str) -> str | None:
        if state in ("rcpt", "dot"):
            return f"{code} told so" if "bad@" in line else None
        return f"{code} told so" if next(turn) == 1 else None

    async with misbehaving(Script({state: answer}, offer)) as server:
        sent = await send(server, mail("a@x.test"), mail("bad@x.test"), mail("c@x.test"))
    assert sent.codes == ["250", code[:3], "250"]
    assert [one.recipients for one in server.received] == [["a@x.test"], ["c@x.test"]]
    assert not sent.error
    assert "nested" not in str(sent.settled)


async def test_content_asked_for_after_a_refusal_is_empty() -> None:
    """A server that says 354 although it refused the recipient gets an empty end, and is not believed (RFC
    2920)."""

    def refuse(line: str) -> str | None:
        return "550 5.1.1 no" if "bad@" in line else None

    async with misbehaving(Script({"rcpt": refuse, "data": "354 go on"})) as server:
        sent = await send(server, mail("bad@x.test"), mail("good@x.test"))
    assert sent.codes == ["550", "250"]
    assert [one.content for one in server.received] == [CONTENT]


STATES = ["connect", "ehlo", "mail", "rcpt", "data", "dot"]


@pytest.mark.parametrize("offer", [PLAIN_OFFER, NO_PIPELINING])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("action", [CLOSE, HANG, GIBBERISH, ENDLESS, "421 4.3.2 closing"])
async def test_a_connection_that_fails_leaves_messages_unsettled(
    offer: tuple[str, ...], state: str, action: Action
) -> None:
    """However and wherever the first connection fails: nothing false is settled, and only what was sent is
    begun."""
    async with misbehaving(Script({state: action}, offer)) as server:
        sent = await send(server, mail("a@x.test"), mail("b@x.test"))
    assert sent.error
    assert not server.received
    if state == "dot" and action == "421 4.3.2 closing":
        assert sent.codes == ["421"]
    else:
        assert sent.settled == []
        assert [message.begun for message in sent.taken][:1] == ([state == "dot"] if sent.taken else [])
    assert not any(message.begun for message in sent.taken[1:])


async def test_one_that_was_taken_before_the_failure_is_settled() -> None:
    """A failure at the second message leaves the first one delivered, once."""
    for state in ("mail", "rcpt", "data", "dot"):
        turn = iter([None])
        script = Script({state: lambda line, turn=turn: next(turn, CLOSE)})  # type: ignore[misc]
        async with misbehaving(script) as server:
            sent = await send(server, mail("a@x.test"), mail("b@x.test"), mail("c@x.test"))
        assert sent.settled == [("a@x.test", "250 2.0.0 taken")], state
        assert len(server.received) == 1


async def test_a_refusal_before_the_close_counts() -> None:
    """A server that says 550 and hangs up has refused; the message is not tried for days."""
    for state in ("mail", "rcpt"):
        following = {"mail": "rcpt", "rcpt": "data"}[state]
        async with misbehaving(Script({state: "550 5.7.1 go away", following: CLOSE})) as server:
            sent = await send(server, mail("a@x.test"), mail("b@x.test"))
        assert sent.codes == ["550"]
        assert sent.error


async def test_nobody_there() -> None:
    """A closed port is a PeerError that names it."""
    with pytest.raises(PeerError, match=r"127\.0\.0\.1:\d+ can't be reached: .*refused"):
        await Connection.open("127.0.0.1", free_port(), "client.test", QUICK)


async def test_a_reply_in_a_log_is_one_line() -> None:
    """What a server says is shown without its line breaks and control characters."""
    async with misbehaving(Script({"dot": "550-no\r\n550 \x1b[31mway\x00"})) as server:
        sent = await send(server, mail("a@x.test"))
    assert sent.settled == [("a@x.test", "550 no ?[31mway?")]


def streamed(recipient: str, blocks: Callable[[], AsyncIterator[bytes]], size: int) -> Outgoing:
    """A message that comes in blocks."""
    return Outgoing("from@x.test", recipient, size, stream=blocks)


async def test_large_content_is_streamed_and_the_next_one_follows() -> None:
    """Thirty megabytes in blocks with dots at their borders arrive unchanged, and the connection goes on."""
    block = b"\n." + b"x" * 250_000 + b"\r\n.." + b"y" * 250_000 + b"\r"

    async def blocks() -> AsyncIterator[bytes]:
        yield b"\r"
        for _ in range(60):
            yield block
        yield b"\n"

    async with misbehaving() as server:
        patient = Timeouts(2, 10, 10)
        big = streamed("big@x.test", blocks, 60 * len(block) + 2)
        sent = await send(server, big, mail("a@x.test"), timeouts=patient)
    assert sent.codes == ["250", "250"]
    assert server.received[0].content == b"\r" + block * 60 + b"\n"


async def test_content_that_breaks_off_is_never_ended() -> None:
    """If the blocks end in a fault, the final dot is not sent: the server must not take half a message."""

    async def blocks() -> AsyncIterator[bytes]:
        yield b"first half\r\n"
        raise ValueError("no second half")

    async with misbehaving() as server:
        sent = Sent([streamed("a@x.test", blocks, 100)])
        connection = await Connection.open("127.0.0.1", server.port, "client.test", QUICK)
        with pytest.raises(ValueError, match="second half"):
            await connection.deliver(sent.take, sent.settle)
        connection.abort()
        assert sent.settled == []
    assert not server.received
