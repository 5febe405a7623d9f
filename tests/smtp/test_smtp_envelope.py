"""MAIL and RCPT read strictly: what is let in is sent on, so nothing is guessed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.smtp.envelope import BadPath, begin, check_recipient, read_path
from tests.support.gates import ListGate, doors

SUITE = Path(__file__).parents[3] / "shared" / "suites" / "email_address"


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        ("FROM:<a@b.test>", "a@b.test"),
        ("from: <a@b.test>", "a@b.test"),
        ("FROM:<>", ""),
        ("FROM:<a>", "a"),
        ("FROM:<@relay.test,@other.test:a@b.test>", "a@b.test"),
        ('FROM:<"two words"@b.test>', '"two words"@b.test'),
        ('FROM:<"a>b@c"@b.test> SIZE=1', '"a>b@c"@b.test'),
        (r'FROM:<"q\"uote"@b.test>', r'"q\"uote"@b.test'),
        ("FROM:<a@[192.0.2.1]>", "a@[192.0.2.1]"),
        ("FROM:<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"),
        ("FROM:<bounce+" + "x" * 180 + "=b@c.test>", "bounce+" + "x" * 180 + "=b@c.test"),
        ("FROM:<odd..dots.@b.test>", "odd..dots.@b.test"),
    ],
)
def test_readable_reverse_paths(argument: str, address: str) -> None:
    """The address is what stands between the brackets, less a source route."""
    assert read_path("FROM", argument.encode()).address == address


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        (b"", "501 5.5.4"),
        (b"<a@b.test>", "501 5.5.4"),
        (b"TO:<a@b.test>", "501 5.5.4"),
        (b"FROM:a@b.test", "501 5.1.7"),
        (b"FROM:<a@b.test", "501 5.1.7"),
        (b"FROM:<a@b.test>>", "501 5.5.4"),
        (b"FROM:<a@b.test>SIZE=1", "501 5.5.4"),
        (b"FROM:<a b@c.test>", "501 5.1.7"),
        (b"FROM:<a@b@c.test>", "501 5.1.7"),
        (b"FROM:<a\tb@c.test>", "501 5.1.7"),
        (b"FROM:<a\x7f@c.test>", "501 5.1.7"),
        (b"FROM:<a\xc2\x85@c.test>", "501 5.1.7"),
        (b"FROM:<a\xe2\x80\xa8b@c.test>", "501 5.1.7"),
        (b"FROM:<a\xff@c.test>", "501 5.5.2"),
        (b"FROM:<Jane <a@b.test>>", "501 5.1.7"),
        (b'FROM:<"open@b.test>', "501 5.1.7"),
        (b"FROM:<@b.test>", "501 5.1.7"),
        (b"FROM:<a@>", "501 5.1.7"),
        (b"FROM:<" + b"x" * 250 + b"@b.test>", "501 5.1.7"),
        (b"FROM:<a@b.test> SIZE=1 size=2", "501 5.5.4"),
        (b"FROM:<a@b.test> =", "501 5.5.4"),
        (b"FROM:<a@b.test> SIZE=", "501 5.5.4"),
    ],
)
def test_unreadable_reverse_paths(argument: bytes, code: str) -> None:
    """No brackets, controls, a second address or a parameter twice: 501, and nothing is guessed."""
    with pytest.raises(BadPath) as bad:
        read_path("FROM", argument)
    assert bad.value.reply.startswith(code)


def refusal(read: Callable[[], object]) -> str:
    """The reply that refuses what is read, or "" where it is taken."""
    try:
        read()
    except BadPath as bad:
        return bad.reply
    return ""


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ("SIZE=10", ""),
        ("SIZE=101", "552 5.3.4"),
        ("SIZE=-1", "501 5.5.4"),
        ("SIZE", "501 5.5.4"),
        ("SIZE=١٢", "501 5.5.4"),
        ("SIZE=" + "9" * 30, "501 5.5.4"),
        ("BODY=8bitmime", ""),
        ("BODY=BINARYMIME", "501 5.5.4"),
        ("SMTPUTF8", ""),
        ("SMTPUTF8=yes", "501 5.5.4"),
        ("AUTH=<>", ""),
        ("RET=HDRS ENVID=QQ314159", ""),
        ("MT-PRIORITY=3", "555 5.5.4"),
    ],
)
def test_parameters_of_mail(parameters: str, code: str) -> None:
    """What is known is obeyed, what is malformed is 501, what is unknown is 555."""
    argument = f"FROM:<a@b.test> {parameters}".encode()
    assert refusal(lambda: begin(read_path("FROM", argument), 100))[:9] == code


def test_parameters_keep_their_case() -> None:
    """ENVID is given back as it came, and BODY and SMTPUTF8 are remembered."""
    envelope = begin(
        read_path("FROM", b"FROM:<a@b.test> envid=aBc ret=Full body=8bitmime smtputf8 size=7"), None
    )
    assert envelope.dsn == {"ENVID": "aBc", "RET": "Full"}
    assert (envelope.eight_bit, envelope.smtputf8, envelope.declared_size) == (True, True, 7)


@pytest.mark.parametrize(
    ("argument", "smtputf8", "code"),
    [
        ("TO:<a@b.test>", False, ""),
        ("TO:<a@b.test> NOTIFY=NEVER ORCPT=rfc822;a@b.test", False, ""),
        ("TO:<a@b.test> ORCPT=a@b.test", False, "501 5.5.4"),
        ("TO:<a@b.test> ORCPT=rfc822;a+b@b.test", False, "501 5.5.4"),
        ("TO:<a@b.test> ORCPT=rfc822;a+2Bb@b.test", False, ""),
        ("TO:<a@b.test> ORCPT=utf-8;büro@b.test", False, "553 5.6.7"),
        ("TO:<a@b.test> ORCPT=utf-8;büro@b.test", True, ""),
        ("TO:<a@b.test> ORCPT=utf-8;b\\x{FC}ro@b.test", False, ""),
        ("TO:<a@b.test> NOTIFY=NEVER,DELAY", False, "501 5.5.4"),
        ("TO:<a@b.test> NOTIFY=SUCCESS,success", False, "501 5.5.4"),
        ("TO:<a@b.test> NOTIFY=", False, "501 5.5.4"),
        ("TO:<>", False, "501 5.1.3"),
        ("TO:<" + "x" * 65 + "@b.test>", False, "501 5.1.3"),
        ("TO:<a@b.test> SIZE=3", False, "555 5.5.4"),
        ("TO:<jürgen@b.test>", False, "553 5.6.7"),
        ("TO:<jürgen@b.test>", True, ""),
    ],
)
def test_recipients(argument: str, smtputf8: bool, code: str) -> None:
    """A recipient has an address, a local part of ours, and letters that were announced (RFC 6531 §3.4)."""
    assert refusal(lambda: check_recipient(read_path("TO", argument.encode()), smtputf8))[:9] == code


def test_a_sender_with_other_letters_needs_smtputf8() -> None:
    """Without the word the address is refused, with it it is taken."""
    with pytest.raises(BadPath, match=r"^553 5\.6\.7"):
        begin(read_path("FROM", "FROM:<jürgen@b.test>".encode()), None)
    assert (
        begin(read_path("FROM", "FROM:<jürgen@b.test> SMTPUTF8".encode()), None).reverse_path
        == "jürgen@b.test"
    )


@given(st.binary(max_size=80), st.sampled_from(["FROM", "TO"]))
def test_any_octets_are_read_or_refused(noise: bytes, keyword: str) -> None:
    """Noise is either an address without controls, or a BadPath whose reply is one line with a code."""
    argument = f"{keyword}:<".encode() + noise + b">"
    if reply := refusal(lambda: read_path(keyword, argument)):
        assert re.fullmatch(r"5\d\d 5\.\d\.\d [^\r\n]+", reply)
    else:
        path = read_path(keyword, argument)
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", path.address)
        assert all(not re.search(r"[\x00-\x20\x7f]", value) for value in path.parameters.values())


def suite_addresses() -> list[str]:
    """Every address of the public collections, valid or not."""
    found: list[str] = []
    for test in ElementTree.parse(SUITE / "isemail_tests.xml").iter("address"):
        # U+2400 + n stands for the control character n.
        found.append(
            "".join(chr(ord(c) - 0x2400) if 0x2400 <= ord(c) <= 0x2421 else c for c in test.text or "")
        )
    for group in json.loads((SUITE / "python_email_validator_cases.json").read_text()).values():
        if isinstance(group, dict):
            for case in group.get("cases", []):
                address = case[0] if isinstance(case, list) else case
                if isinstance(address, str):
                    found.append(address)
    for file in (SUITE / "flanker").glob("*.txt"):
        found += file.read_text("utf-8", "replace").split("\n")
    return list(dict.fromkeys(found))


@pytest.mark.skipif(not SUITE.exists(), reason="the collections of addresses (../shared/suites) are not here")
async def test_every_known_address_gets_an_answer() -> None:
    """As sender and as recipient each address of the collections gets one 2xx or 5xx, and the door goes
    on."""
    addresses = suite_addresses()
    assert len(addresses) > 500
    async with doors(ListGate()) as door:
        talk = await door.greeted()
        for address in addresses:
            raw = address.encode("utf-8", "surrogatepass")
            if b"\r\n" in raw:
                continue  # two commands, on purpose
            for command in (b"MAIL FROM:<" + raw + b"> SMTPUTF8", b"RCPT TO:<" + raw + b">"):
                talk.send(command + b"\r\n")
                reply = await talk.reply()
                assert re.match(r"2\d\d 2\.|5\d\d 5\.", reply), (command, reply)
                if reply.startswith("2") and b"@" in raw:
                    assert not re.search(rb"[\x00-\x1f\x7f]", raw), command
            await talk.say("RSET")
            await talk.open_message()
            talk.send(b"x\r\n.\r\n")
            assert (await talk.reply()).startswith("250")
