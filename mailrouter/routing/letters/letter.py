"""Messages of our own: the automatic reply, and the companion that brings what a copy can't carry. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from mailrouter.message import compose
from mailrouter.message.head import Head
from mailrouter.message.pieces import Pieces
from mailrouter.message.text import writing
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.routing.autoreply import caps, memory_key
from mailrouter.routing.model import Draft, Reply, ReplyDraft, Situation
from mailrouter.schedule.model import Person
from mailrouter.trust.confirmations import handoff_address

MAX_REFERENCES = 20
MAX_SUBJECT = 200
"""Characters of an automatic reply's subject, ``Auto: `` included."""
_NO_SUBJECT = "your mail"


def make_reply(draft: Draft, answer: ReplyDraft, situation: Situation) -> Reply:
    """The automatic reply (RFC 3834 §3): from the role, to the reverse-path, marked as not to be answered."""
    role, sender = situation.role, situation.reverse_path
    original = writing.safe_subject(draft.head.text("subject") or "", MAX_SUBJECT - len("Auto: "))
    subject = f"Auto: {original or _NO_SUBJECT}"
    headers = b"".join(
        (
            writing.address_field("From", [Mailbox(role.name, role.address)]),
            writing.address_field("To", [Mailbox("", sender)]),
            writing.field("Subject", subject),
            *dated(situation, "reply"),
            *threading(draft.head),
            b"Auto-Submitted: auto-replied\r\n",  # RFC 3834 §5
            b"X-Auto-Response-Suppress: All\r\n",
            b"Precedence: bulk\r\n",
        )
    )
    return Reply(
        role=role.key,
        recipient=sender,
        subject=subject,
        text=answer.text,
        key=memory_key(role, sender, answer.period),
        caps=caps(role, sender),
        pieces=compose.fresh(headers, [compose.note_part(answer.text)]),
    )


def companion(
    person: Person,
    head: Head,
    situation: Situation,
    *,
    marks: bytes,
    note: str,
    handoffs: Sequence[Pieces],
) -> Pieces:
    """A message to this person alone. An answer to it goes to the handoff address, never to the colleague."""
    role = situation.role
    subject = writing.safe_subject(head.text("subject") or "", MAX_SUBJECT) or _NO_SUBJECT
    what = " and ".join(word for word, there in (("Note", note), ("handoff", handoffs)) if there)
    back = Mailbox(role.name, handoff_address(role.address))
    words = "\n".join(filter(None, (situation.wording.companion(role, subject), note)))
    headers = b"".join(
        (
            marks,
            writing.address_field("From", [back]),
            writing.address_field("Reply-To", [back]),
            writing.address_field("To", [Mailbox(person.name, person.email)]),
            writing.field("Subject", f"{what[:1].upper()}{what[1:]}: {subject}"),
            *dated(situation, f"companion {person.email}"),
            *threading(head),
            b"Auto-Submitted: auto-generated\r\n",
        )
    )
    return compose.fresh(
        headers,
        [compose.note_part(words, b"Note"), *handoffs],
        boundary=compose.choose_boundary(derived(situation, "companion", person.email)),
    )


def derived(situation: Situation, *what: str) -> bytes:
    """Randomness for one purpose, from the seed made at the door. 20 octets."""
    return hashlib.blake2b("\0".join(what).encode(), key=situation.seed[:64], digest_size=20).digest()


def dated(situation: Situation, what: str, known_by: str = "") -> tuple[bytes, bytes]:
    """Date and Message-ID of a message of ours; ``what`` tells it from others on the same occasion, and an answer
    tells by ``known_by``, the beginning of its Message-ID, what it answers."""
    left = known_by + base64.b32encode(derived(situation, "id", what)[:15]).decode().lower()
    date = writing.date_field(situation.duty.moment.astimezone(situation.role.time_zone))
    return (
        f"Date: {date}\r\n".encode(),
        f"Message-ID: {writing.message_id(left, situation.hostname)}\r\n".encode(),
    )


def threading(head: Head) -> tuple[bytes, ...]:
    """In-Reply-To and References (RFC 5322 §3.6.4): of a long thread the first and the last ids."""
    own = head.message_id
    if not own:
        return ()
    ids = [*(head.references or filter(None, [head.in_reply_to])), own]
    if len(ids) > MAX_REFERENCES:
        ids = [ids[0], *ids[-(MAX_REFERENCES - 1) :]]
    in_reply_to = b"In-Reply-To: " + own.encode("ascii") + b"\r\n"
    return (in_reply_to, b"References: " + b"\r\n ".join(i.encode("ascii") for i in ids) + b"\r\n")
