"""The fate of one mail, as cards: what was sent, what each person got, what the sender heard, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from mailrouter.address import canonical
from mailrouter.config import Configuration
from mailrouter.demo.paper import Card, Line, Paper, harmless
from mailrouter.demo.passage import Letter, Passage
from mailrouter.demo.reading import ShownPart, part, parts
from mailrouter.intake.purposes import purpose_of
from mailrouter.message.head import Head
from mailrouter.routing.wording import WIDTH
from mailrouter.schedule.date_words import called, joined
from mailrouter.schedule.model import Person, Role

MOST_LINES = 24
"""Lines of a text that are shown."""
LONGEST = 400
_REPLY = re.compile(r"(?:[a-z0-9-]+: )?(?P<no>no|an) automatic reply, because (?P<why>.*)", re.S)
_OURS = "=_"
"""How the boundary of a wrapped copy begins (see ``mailrouter.message.compose.choose_boundary``)."""


class Cards:
    """Makes the cards. A text that was shown before, as the handoff, is not shown whole again."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._shown: set[str] = set()

    def of(self, passage: Passage, paper: Paper, sent: bytes | None = None) -> list[str]:
        """All lines; ``sent`` are the octets that were sent, where they are known, to compare with."""
        told = _Told(passage, self._configuration, frozenset(self._shown), sent)
        cards = [Card(f"{told.sender} writes", "sends", list(told.written()))]
        gets = [(told.called(person), tuple(told.got(person))) for person in told.people()]
        for lines, group in groupby((entry for entry in gets if entry[1]), key=lambda entry: entry[1]):
            names = [name for name, _ in group]
            cards.append(Card(f"{joined(names)} {'get' if len(names) > 1 else 'gets'}", "gets", lines))
        if told.copied:
            cards.append(told.heard())
        if waiting := told.waiting():
            cards.append(Card("Not delivered yet", "hears", waiting))
        cards.append(Card("Why", "why", [Line(reason, "- ") for reason in told.reasons()]))
        self._shown |= told.texts
        return paper.cards(cards)

    def subject(self, passage: Passage) -> str:
        """The mail's subject, harmless to a terminal."""
        copies = [letter.raw for letter in passage.letters if letter.delivery.kind == "copy"]
        head = Head(copies[0] if copies else passage.header)
        return harmless(head.text("subject") or "(no subject)")[:LONGEST]


class _Told:
    """One passage in words. ``texts`` are those that were shown whole."""

    def __init__(
        self, passage: Passage, configuration: Configuration, shown: frozenset[str], sent: bytes | None
    ) -> None:
        self._passage = passage
        self._shown = shown
        self._sent = sent
        self.texts: set[str] = set()
        found = map(configuration.role_for, passage.message.recipients)
        self._roles: list[Role] = list({role.key: role for role in found if role is not None}.values())
        copy = next((letter for letter in passage.letters if letter.delivery.kind == "copy"), None)
        self.copied = copy is not None
        self._head = Head(sent or (copy.raw if copy else passage.header))
        self._original = self._first_part(copy)
        writers = self._head.mailboxes("from")
        self.sender = harmless((writers[0].display or writers[0].address) if writers else "")[:60]
        self.sender = self.sender or passage.message.reverse_path or "Somebody"

    def _first_part(self, copy: Letter | None) -> ShownPart:
        if self._sent is not None or copy is None:
            return part(self._sent or b"")
        return parts(copy.raw)[0] if self._wrapped(copy) else part(copy.raw)

    def people(self) -> list[Person]:
        """Everybody who works for the roles, partners first."""
        people = {person.mailbox: person for role in self._roles for person in role.people}
        return list(people.values())

    def called(self, person: Person) -> str:
        """The first name, and whether they are in."""
        name = next((called(role)[person.key] for role in self._roles if person in role.people), person.name)
        marks = [Head(letter.raw).text("mailrouter-you") for letter in self._passage.to(person.email)]
        return name + {"on": " (in)", "off": " (not in)"}.get(next(filter(None, marks), ""), "")

    def written(self) -> Iterator[Line]:
        """The mail as it was sent."""
        for name in ("From", "To", "Subject"):
            yield Line(harmless(self._head.text(name.lower()) or "—")[:LONGEST], f"{name + ':':<9}")
        yield Line()
        no_text = "(no text)" if self.copied or self._sent else "(its text was for the relay and is not kept)"
        yield from _quoted(self._original.text or no_text, "> ", 6)
        if self._original.also:
            yield Line(f"(also in it: {harmless(joined(self._original.also[:5]))[:LONGEST]})")

    def got(self, person: Person) -> Iterator[Line]:
        """The files in this person's Maildir because of this mail."""
        letters = self._passage.to(person.email)
        counted = len(letters) > 1
        for n, letter in enumerate(letters, 1):
            lead = f"Mail {n}: " if counted else ""
            if letter.delivery.kind == "copy":
                yield from self._copy(letter, lead)
            else:
                yield from self._beside(letter, lead)

    def _copy(self, letter: Letter, lead: str) -> Iterator[Line]:
        if not self._wrapped(letter):
            exact = self._sent is not None and letter.raw.endswith(self._sent)
            yield Line(f"{lead}the mail as it came{', every byte as it was sent' if exact else ''}.")
            yield from self._answering(letter)
            return
        added = parts(letter.raw)[1:]
        exact = self._sent is not None and self._sent.partition(b"\r\n\r\n")[2] in letter.raw
        yield Line(f"{lead}one mail with {len(added) + 1} parts:")
        yield Line(f"the original{', every byte as it was sent' if exact else ''}", "1. ")
        for n, found in enumerate(added, 2):
            yield from self._added(found, f"{n}. ")
        yield from self._answering(letter)

    def _beside(self, letter: Letter, lead: str) -> Iterator[Line]:
        """A mail of the relay's own, such as the companion."""
        head = Head(letter.raw)
        yield Line(
            f"{lead}a message from the relay{', beside it' if letter.delivery.kind == 'companion' else ''}:"
        )
        yield Line(harmless(head.text("from") or "")[:LONGEST], "   From: ")
        yield Line(harmless(head.text("subject") or "")[:LONGEST], "   Subject: ")
        for n, found in enumerate(parts(letter.raw), 1):
            yield from self._added(
                found, f"   {n}. ", "a note" if letter.delivery.kind == "companion" else "its text"
            )

    def _added(self, found: ShownPart, lead: str, called_text: str = "a note") -> Iterator[Line]:
        what = f"the handoff, attached as {harmless(found.filename)}" if found.filename else called_text
        if found.text in self._shown:
            yield Line(f"{what} (the same as above)", lead)
            return
        yield Line(f"{what}:", lead)
        yield from _quoted(reflowed(found.text), " " * len(lead) + "> ")
        self.texts.add(found.text)

    def _answering(self, letter: Letter) -> Iterator[Line]:
        head = Head(letter.raw)
        addresses = {role.address: role.name for role in self._roles}
        to = [harmless(box.display or box.address) for box in head.mailboxes("reply-to")]
        if any(canonical(box.address) in addresses for box in head.mailboxes("reply-to")):
            yield Line(f"A reply goes to {joined(to)}, so the other partner sees it too.")
        if any("shown in Cc" in reason for reason in self._passage.message.reasons):
            shown = joined(harmless(box.display or box.address) for box in head.mailboxes("cc"))
            yield Line(f"In Cc: {shown}.")

    def _wrapped(self, letter: Letter) -> bool:
        """Whether the relay put the original into a mail of several parts."""
        head = Head(letter.raw)
        beside = any(
            other.delivery.kind == "companion" for other in self._passage.to(letter.delivery.recipient)
        )
        said = letter.delivery.handoff or any("a note, " in why for why in self._passage.message.reasons)
        boundary = head.parameter("content-type", "boundary") or ""
        return bool(said) and not beside and boundary.startswith(_OURS)

    def heard(self) -> Card:
        """The sender's part: what they heard, and why."""
        replies = [letter for letter in self._passage.letters if letter.delivery.kind == "reply"]
        found = [match for reason in self._passage.message.reasons if (match := _REPLY.fullmatch(reason))]
        due = [Line(match["why"] + ".", "- ") for match in found if match["no"] == "an"]
        silent = [Line(match["why"] + ".", "- ") for match in found if match["no"] == "no"]
        if replies:
            lines = [line for letter in replies for line in self._answer(letter)]
            return Card(f"{self.sender} is answered", "hears", [*lines, Line(), Line("Because:"), *due])
        if due and not silent:
            again = "An answer was due, but this sender has had one already, or enough were sent today."
            return Card(f"{self.sender} is not answered again", "hears", [Line(again)])
        lines = silent or [Line("nothing asks for one.", "- ")]
        return Card(f"{self.sender} gets no answer, because", "hears", lines)

    def _answer(self, letter: Letter) -> Iterator[Line]:
        head = Head(letter.raw)
        for name in ("From", "Subject"):
            yield Line(harmless(head.text(name.lower()) or "")[:LONGEST], f"{name + ':':<9}")
        yield Line()
        yield from _quoted(reflowed(part(letter.raw).text), "> ", 24)

    def waiting(self) -> list[Line]:
        """The deliveries still waiting, in the words of whoever refused them."""
        return [
            Line(f"{delivery.recipient}: {harmless(delivery.last_reply)[:LONGEST] or 'on its way'}", "- ")
            for delivery in self._passage.waiting
        ]

    def reasons(self) -> Sequence[str]:
        """The reasons that the relay stored, but for those about the answer."""
        told = [why for why in self._passage.message.reasons if not _REPLY.fullmatch(why)]
        return [f"{self._named(why)}." for why in told]

    def _named(self, reason: str) -> str:
        """A reason as a sentence; the role that it is of by its name, where there are several."""
        for role in self._roles:
            if reason.startswith(f"{role.key}: "):
                return f"{role.name}: {reason.removeprefix(f'{role.key}: ')}"
        return reason[:1].upper() + reason[1:]


def questions(passage: Passage) -> Iterator[tuple[str, str]]:
    """The question about whose mail this is. Who was asked, and the address at which a yes is waited for."""
    for letter in passage.letters:
        for box in Head(letter.raw).mailboxes("reply-to") if letter.delivery.kind == "notice" else ():
            if purpose_of(box.address.partition("@")[0].partition("+")[2])[1]:
                yield letter.delivery.recipient, box.address


def reflowed(text: str) -> str:
    """A text with its lines, broken for sending, joined again."""
    out: list[str] = []
    room = 0
    for line in text.split("\n"):
        word = line.split(" ", 1)[0]
        if out and word and room < 1 + len(word) and not out[-1].endswith((".", ":")):
            out[-1] += f" {line}"
        else:
            out.append(line)
        room = WIDTH - len(line) if line else WIDTH
    return "\n".join(out)


def _quoted(text: str, lead: str, most: int = MOST_LINES) -> Iterator[Line]:
    lines = [harmless(line)[:LONGEST] for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    for line in lines[:most]:
        yield Line(line, lead, quoted=True)
    if len(lines) > most:
        yield Line(
            f"… {len(lines) - most} more line{'s' if len(lines) - most > 1 else ''}", lead, style="faint"
        )
