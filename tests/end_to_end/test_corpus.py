"""The whole corpus of real mail through a real server, into Maildirs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dkim
import pytest
from dkim.canonicalization import CanonicalizationPolicy
from dkim.util import parse_tag_value

from mailrouter.store.ids import message_id_of
from mailrouter.store.sqlite.reader import StoreReader
from mailrouter.turns import drive
from tests.end_to_end.human_mails import HUMAN
from tests.support import corpus
from tests.support.relay import BOTH_AWAY, PARTNERS, ROLE, maildir, relay, wait_until, write_configuration
from tests.support.sending import queue_id, send

pytestmark = pytest.mark.skipif(not corpus.available(), reason=corpus.WHY_ABSENT)

UNKNOWN_SENDER = "colleague@elsewhere.test"
QUIET = "note: never\nhandoff: never\nauto_reply: never\ncopy: hidden\n"
_ID = re.compile(rb"^Received: from .*?\bid ([0-9a-z]+);", re.DOTALL)


@dataclass
class Run:
    """What was sent and what came of it; ``copies`` by partner and queue id."""

    mails: list[corpus.CorpusMail]
    sent: list[bytes]
    replies: list[str]
    copies: dict[str, dict[str, list[bytes]]]
    reasons: dict[str, tuple[str, ...]]

    @property
    def accepted(self) -> Iterator[tuple[corpus.CorpusMail, bytes, str]]:
        for mail, sent, reply in zip(self.mails, self.sent, self.replies, strict=True):
            if reply.startswith("250"):
                yield mail, sent, queue_id(reply)


def run(folder: Path, role: str, prefix: bytes) -> Run:
    """Send the corpus, each with ``prefix`` (header fields) before it, and collect all that was delivered."""
    config = write_configuration(folder, role=role)
    mails = corpus.mails()
    sent = [prefix + mail.raw for mail in mails]
    with relay(config) as running:
        replies = send(
            running.port,
            [
                (UNKNOWN_SENDER if m.mail_from is None else m.mail_from, ROLE, raw)
                for m, raw in zip(mails, sent, strict=True)
            ],
        )
        store = StoreReader(folder / "var/mailrouter.db")
        wait_until(lambda: not drive(store.waiting()), seconds=120, what="the last delivery")
        assert running.process.poll() is None, "the server fell over"
    copies: dict[str, dict[str, list[bytes]]] = {}
    for partner in PARTNERS:
        mine = copies.setdefault(partner, {})
        for raw in maildir(folder, partner):
            found = _ID.search(raw[raw.index(b"Received:") :])
            assert found is not None
            mine.setdefault(found[1].decode(), []).append(raw)
    ids = [queue_id(reply) for reply in replies if reply.startswith("250")]
    entries = {id_: drive(store.entry(message_id_of(id_))) for id_ in ids}
    reasons = {id_: entry.message.reasons for id_, entry in entries.items() if entry is not None}
    assert reasons.keys() == entries.keys()
    store.close()
    return Run(mails, sent, replies, copies, reasons)


@pytest.fixture(scope="module")
def loud(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Both partners away, notes on and every sender to be answered; the to-me rule is met by a Resent-To."""
    return run(tmp_path_factory.mktemp("loud"), BOTH_AWAY, b"Resent-To: " + ROLE.encode() + b"\r\n")


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Nothing to say, so that every copy is untouched."""
    return run(tmp_path_factory.mktemp("quiet"), QUIET, b"")


@pytest.mark.parametrize("which", ["loud", "quiet"])
def test_at_most_two_percent_are_refused_each_for_a_reason(
    which: str, request: pytest.FixtureRequest
) -> None:
    """Real mail is taken; what is refused is refused for what it holds, and the reply says what."""
    found: Run = request.getfixturevalue(which)
    refused = [
        (mail.file, reply)
        for mail, reply in zip(found.mails, found.replies, strict=True)
        if not reply.startswith("250")
    ]
    print(f"\n{which}: {len(found.mails)} sent, {len(refused)} refused")
    for file, reply in refused:
        print(f"  {reply}  {file}")
    assert len(refused) <= 0.02 * len(found.mails)
    assert all(re.match(r"5\d\d 5\.\d+\.\d+ ", reply) for _, reply in refused)


@pytest.mark.parametrize("which", ["loud", "quiet"])
def test_both_partners_get_each_message_with_its_body_intact(
    which: str, request: pytest.FixtureRequest
) -> None:
    """Every accepted message is in both Maildirs, and the original body stands in it byte for byte."""
    found: Run = request.getfixturevalue(which)
    for mail, sent, id_ in found.accepted:
        body = sent.partition(b"\r\n\r\n")[2]
        for partner in PARTNERS:
            copies = found.copies[partner].get(id_, [])
            assert copies, f"{mail.file} did not reach {partner}"
            assert any(body in copy for copy in copies), f"{mail.file}: its body is not intact for {partner}"


def test_what_was_dkim_signed_hashes_as_before_in_untouched_copies(quiet: Run) -> None:
    """Each signature's header fields and body, canonicalised by dkimpy, are the same in the copy."""
    checked = 0
    for mail, sent, id_ in quiet.accepted:
        if "dkim" not in mail.tags:
            continue
        before = _signed(sent)
        for partner in PARTNERS:
            (copy,) = quiet.copies[partner][id_]
            # What dkimpy can't read (a mail that begins with a continuation of nothing) nobody could verify before.
            assert not before or _signed(copy) == before, f"{mail.file}: a signature would break"
        checked += len(before)
    print(f"\n{checked} signatures compared")
    assert checked > 100


def _signed(raw: bytes) -> list[tuple[bytes, object, str]]:
    """For each DKIM-Signature: its value, the canonical signed fields, and the hash of the canonical body."""
    try:
        headers, body = dkim.rfc822_parse(raw)
    except (IndexError, dkim.MessageFormatError):
        return []
    found = []
    for name, value in headers:
        if name.lower() != b"dkim-signature":
            continue
        try:
            tags = parse_tag_value(value)
            policy = CanonicalizationPolicy.from_c_value(tags.get(b"c"))
        except Exception:
            continue  # not a signature that anybody could verify, before or after
        fields = [
            field.strip().lower() for field in re.split(rb"\s*:\s*", tags.get(b"h", b"")) if field.strip()
        ]
        canonical = policy.canonicalize_headers(headers)
        found.append(
            (
                value,
                dkim.select_headers(canonical, fields),
                hashlib.sha256(policy.canonicalize_body(body)).hexdigest(),
            )
        )
    return found


def test_no_machine_is_answered(loud: Run) -> None:
    """No message that must not be answered is, though the role stands in Resent-To and nobody is in."""
    labelled, answered = 0, []
    for mail, _, id_ in loud.accepted:
        if not mail.must_stay_unanswered:
            continue
        labelled += 1
        if _is_answered(loud.reasons[id_]):
            answered.append(mail.file)
    unlabelled = [
        _is_answered(loud.reasons[id_]) for mail, _, id_ in loud.accepted if not mail.must_stay_unanswered
    ]
    print(
        f"\n{labelled} must stay unanswered, {len(answered)} answered; of {len(unlabelled)} others {sum(unlabelled)} are"
    )
    assert labelled > 600
    assert answered == []


def _is_answered(reasons: tuple[str, ...]) -> bool:
    return any(reason.startswith("an automatic reply") for reason in reasons)


def test_people_are_answered(tmp_path: Path) -> None:
    """Plain mails of people, from many places, are each answered once when nobody is in."""
    config = write_configuration(tmp_path, role=BOTH_AWAY)
    with relay(config) as running:
        replies = send(running.port, [(sender, ROLE, raw) for sender, raw in HUMAN])
        assert all(reply.startswith("250") for reply in replies), replies
        wait_until(
            lambda: all(maildir(tmp_path, sender) for sender, _ in HUMAN),
            seconds=30,
            what="an answer to each",
        )
    for sender, _ in HUMAN:
        (answer,) = maildir(tmp_path, sender)
        assert b"Auto-Submitted: auto-replied" in answer
