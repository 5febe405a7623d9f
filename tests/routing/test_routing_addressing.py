"""Cc and Reply-To of the copies."""

from __future__ import annotations

import time
from email.utils import getaddresses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter.address import canonical
from mailrouter.message.head import Head
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.routing.addressing import cc_with, extendable, reply_to_with
from tests.routing.situations import AWAY, mail, octets, parsed, planned, role, situation
from tests.support.examples import examples

LAURIE = Mailbox("Laurie Cremona", "laurie@example.test")
BOTH = "Laurie Cremona <laurie@example.test>, Elaine Miller <elaine@example.test>"
PRIVATE = (b"laurie@example.test", b"elaine@example.test")


def test_inside_both_partners_stand_in_cc() -> None:
    """A colleague's mail shows who else has it, and stays unwrapped where that is all there is to say."""
    raw = mail("Cc: Bob <bob@example.test>")
    found = planned(raw, situation(role()))
    for copy in found.copies:
        message = parsed(copy.pieces, raw)
        assert message["Cc"] == f"Bob <bob@example.test>, {BOTH}"
        assert message["Reply-To"] == "Jane Doe <jane@example.test>, VP Human Resources <vp-hr@example.test>"
        assert not copy.wrapped
        assert octets(copy.pieces, raw).endswith(b"\r\n\r\nHello.\r\n")
    assert "Laurie Cremona and Elaine Miller are shown in Cc (copy: inside cc)" in found.reasons


def test_a_partner_in_to_is_not_added_again() -> None:
    """Only who is missing is added."""
    raw = mail("To: vp-hr@example.test, laurie@example.test")
    found = planned(raw, situation(role()))
    assert parsed(found.copies[0].pieces, raw)["Cc"] == "Elaine Miller <elaine@example.test>"


@pytest.mark.parametrize(
    ("sender", "fields"),
    [
        ("ann@outside.test", ["From: ann@outside.test"]),
        ("", []),
        # A server before us that rewrites return paths (SRS) makes a stranger's look like ours.
        ("srs0=x=yz=outside.test=ann@example.test", ["From: ann@outside.test"]),
        ("jane@example.test", ["Reply-To: ann@outside.test"]),
        ("jane@example.test", ["Cc: ann@outside.test"]),
        ("jane@example.test", ["To: vp-hr@example.test, ann@outside.test"]),
        ("jane@example.test", ["From: =?x"]),
    ],
)
@pytest.mark.parametrize("text", ["", AWAY])
def test_no_partners_address_where_somebody_outside_takes_part(
    sender: str, fields: list[str], text: str
) -> None:
    """Neither the copies' fields nor an answer to all would carry a private address to an outsider."""
    raw = mail(*fields)
    of = role(text, reply_inside="always", reply_outside="always")
    found = planned(raw, situation(of, sender=sender))
    sent = [octets(copy.pieces, raw) for copy in found.copies]
    if found.reply and not sender.endswith("example.test"):
        sent.append(octets(found.reply.pieces, raw))
    for private in PRIVATE:
        assert not any(private in copy for copy in sent)


def test_partners_may_be_shown_outside_too() -> None:
    """``copy: cc`` for senders outside is the role's own wish."""
    raw = mail("From: ann@outside.test")
    found = planned(raw, situation(role(copy_outside="cc"), sender="ann@outside.test"))
    assert parsed(found.copies[0].pieces, raw)["Cc"] == BOTH


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([], "Jane Doe <jane@example.test>, VP Human Resources <vp-hr@example.test>"),
        (
            ["Reply-To: Desk <desk@example.test>"],
            "Desk <desk@example.test>, VP Human Resources <vp-hr@example.test>",
        ),
        (
            ["From: Jane <jane@example.test>, Bob <bob@example.test>"],
            "Jane <jane@example.test>, Bob <bob@example.test>, VP Human Resources <vp-hr@example.test>",
        ),
        (["Reply-To: VP-HR@example.test"], "VP-HR@example.test"),
        (["Reply-To: nobody"], "Jane Doe <jane@example.test>, VP Human Resources <vp-hr@example.test>"),
    ],
)
def test_an_answer_goes_to_the_sender_and_the_role(fields: list[str], expected: str) -> None:
    """A plain Reply reaches the other partner, and whom the sender wants answered."""
    raw = mail(*fields)
    found = planned(raw, situation(role(AWAY)))
    assert parsed(found.copies[0].pieces, raw)["Reply-To"] == expected


def test_reply_to_can_stay_the_senders() -> None:
    """``reply_to: sender`` leaves the field alone."""
    raw = mail()
    found = planned(raw, situation(role(AWAY, reply_to="sender")))
    assert parsed(found.copies[0].pieces, raw)["Reply-To"] is None


@pytest.mark.parametrize(
    "value",
    [
        b" J\xfcrgen <j@example.test>, =?utf-8?q?J=C3=B6?= <o@example.test>",
        b' "Doe, Jane (HR)" <jane@example.test>, bob@example.test (Bob, who knows)',
        b" team: a@example.test, b@example.test;, c@example.test",
        b" undisclosed-recipients:;",
        b" a@example.test,\r\n\tb@example.test,\r\n c@[192.0.2.1]",
        b" a@example.test,, b@example.test, ",
        "„Jürgen“ <jürgen@example.test>".encode(),
        b'"\\"q\\"" <q@example.test>',
    ],
)
def test_what_stood_in_cc_stays_octet_for_octet(value: bytes) -> None:
    """Whoever was written to is still there, in the very bytes, and the partners come after."""
    head = Head(b"Cc:" + value + b"\r\n\r\n")
    assert extendable(head.raw_values("cc"))
    field = cc_with(head, [LAURIE])
    assert value.strip(b" ,") in field
    assert field.endswith(b",\r\n Laurie Cremona <laurie@example.test>\r\n")
    before, after = head.mailboxes("cc"), Head(field + b"\r\n").mailboxes("cc")
    assert after == (*before, LAURIE)
    assert all(len(line) <= 998 for line in field.split(b"\r\n"))


@pytest.mark.parametrize(
    "value",
    [
        b' "open quote <a@example.test>, b@example.test',
        b" open (comment <a@example.test>",
        b" closed) twice <a@example.test>",
        b" <a@example.test",
        b" a@example.test>",
        b" team: a@example.test",
        b' Jane (5" tall) <jane@example.test>',
        b" a@example.test; b@example.test",
        b" a@example.test" + b", b@example.test" * 5000,
        b" \x1b$B8!:w\x1b(B <a@example.test>",
        b" " + b"x" * 1000 + b"@example.test",
    ],
)
def test_a_field_that_cannot_be_continued_stays_as_it_is(value: bytes) -> None:
    """Nobody is dropped, nothing guessed: the Cc is left alone, the note still comes, a reason says so."""
    assert not extendable([value])
    raw = mail(b"Cc:" + value)
    found = planned(raw, situation(role(AWAY)))
    for copy in found.copies:
        assert copy.wrapped
        assert b"\r\nCc:" + value + b"\r\n" in octets(copy.pieces, raw)
        assert octets(copy.pieces, raw).count(b"\r\nCc:") == 1
    assert any(reason.startswith("nobody is added to Cc") for reason in found.reasons)


def test_an_own_reply_to_that_cannot_be_read_stays() -> None:
    """The sender's wish is not guessed at; the reason is told."""
    raw = mail('Reply-To: "Desk <desk@example.test>, jane@example.test')
    found = planned(raw, situation(role(AWAY)))
    copy = octets(found.copies[0].pieces, raw)
    assert b'\r\nReply-To: "Desk <desk@example.test>, jane@example.test\r\n' in copy
    assert copy.count(b"Reply-To:") == 1


def test_several_cc_fields_become_one() -> None:
    """RFC 5322 §3.6 allows one; all who stand in them are kept."""
    raw = mail(b"Cc: a@example.test", b"Cc: b@example.test")
    message = parsed(planned(raw, situation(role())).copies[0].pieces, raw)
    (cc,) = message.get_all("Cc", [])
    assert [address for _, address in getaddresses([cc])] == [
        *("a@example.test", "b@example.test", "laurie@example.test", "elaine@example.test")
    ]


PHRASES = st.text(st.sampled_from('ab "\\(),;:<>@[]\r\n\tü.'), max_size=40)


@settings(max_examples=examples(300))
@given(st.lists(PHRASES, min_size=1, max_size=3))
def test_whoever_could_be_read_before_can_be_read_after(values: list[str]) -> None:
    """Whatever stands in the field: if it is continued, all its mailboxes and the new are read from it."""
    raws = [" ".join(value.replace("\r", " ").replace("\n", " ").split()).encode() for value in values]
    head = Head(b"".join(b"Cc: " + raw + b"\r\n" for raw in raws))
    if extendable(head.raw_values("cc")):
        before = {canonical(mailbox.address) for mailbox in head.mailboxes("cc")}
        after = Head(cc_with(head, [LAURIE])).mailboxes("cc")
        assert {canonical(mailbox.address) for mailbox in after} >= before | {LAURIE.address}


def test_nothing_to_add_is_nothing_to_change() -> None:
    """A role that stands in Reply-To already, and a mail from nobody, need no new field."""
    role_box = [Mailbox("VP", "vp-hr@example.test")]
    assert reply_to_with(Head(b"Reply-To: vp-hr@example.test\r\n"), role_box) == b""
    assert reply_to_with(Head(b"Subject: x\r\n"), role_box) == b""
    assert reply_to_with(Head(b"From: (\r\n"), role_box) == b""
    assert reply_to_with(Head(b"From: a@example.test (\r\n"), role_box) is None


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Doe, Jane <jane@outside.test>", "Doe, Jane"),
        ("Smith, John T - Anytown, ST <jane@outside.test>", "Smith, John T - Anytown, ST"),
        ("=?utf-8?q?M=C3=BCller?=, Jane <jane@outside.test>", "Müller, Jane"),
        ('"Doe", Jane <jane@outside.test>', "Doe, Jane"),
    ],
)
def test_a_name_with_an_unquoted_comma_stays_one_entry(written: str, name: str) -> None:
    """Copied into a list, its first half would be an entry without an address; readers would make three of it."""
    raw = mail(f"From: {written}".encode())
    (copy, *_) = planned(raw, situation(role(AWAY), sender="jane@outside.test")).copies
    found = parsed(copy.pieces, raw)["Reply-To"].addresses
    assert [(one.display_name, one.addr_spec) for one in found] == [
        (name, "jane@outside.test"),
        ("VP Human Resources", "vp-hr@example.test"),
    ]


@pytest.mark.parametrize(
    "written",
    [
        "Jane <jane@outside.test>, Bob <bob@outside.test>",
        '"Doe, Jane" <jane@outside.test>',
        "=?iso-8859-1?Q?Last=DFName=2C_FirstName?= <jane@outside.test>",
        "jane@outside.test (Doe, Jane)",
    ],
)
def test_what_is_a_list_of_addresses_stays_as_it_was_written(written: str) -> None:
    """Octet for octet, with the role behind it."""
    raw = mail(f"From: {written}")
    (copy, *_) = planned(raw, situation(role(AWAY), sender="jane@outside.test")).copies
    assert f"Reply-To: {written},\r\n".encode() in octets(copy.pieces, raw)


@pytest.mark.parametrize("entry", [b"a:b@c,;", b"<@a,@b:c@d>,", b"a (b)@c,"])
def test_many_fields_cost_no_more_to_continue_than_one(entry: bytes) -> None:
    """A field may stand once; a stranger writes it twenty times."""
    line = entry * (900 // len(entry)) + b"\r\n "
    one, twenty = [line * 60], [line * 3] * 20

    def seconds(raws: list[bytes]) -> float:
        spent = []
        for _ in range(3):
            start = time.thread_time()
            extendable(raws)
            spent.append(time.thread_time() - start)
        return min(spent)

    assert seconds(twenty) < 3 * seconds(one) + 0.005


def test_more_fields_of_one_name_than_are_read_are_not_continued() -> None:
    """What stands in the others is not known."""
    assert extendable([b"a@b.test"] * 20)
    assert not extendable([b"a@b.test"] * 21)
