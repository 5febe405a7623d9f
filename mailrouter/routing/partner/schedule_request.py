"""Mail to a role's schedule address: what it asks for, and what comes of it. Pure.

The file is the one truth. What is asked for in words becomes edits of its text; an edited file that comes back is
its new text. Either is used only if the loader of the service takes it, and if it gives just the role that was
meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol

from mailrouter.errors import ConfigurationError, MailrouterError, Problem
from mailrouter.message.scanner import Scanner
from mailrouter.routing.model import Situation
from mailrouter.routing.partner import schedule_notices
from mailrouter.routing.partner.decision import (
    FileChange,
    Handed,
    Handover,
    PartnerRequest,
    question_of,
    too_large,
)
from mailrouter.routing.partner.file.difference import FileDifference
from mailrouter.routing.partner.file.edited import may_become, version_mark, with_line_ends_of
from mailrouter.routing.partner.file.lines import NO_LINES
from mailrouter.routing.partner.file.merged import PastChange, text_of_version, without_version
from mailrouter.routing.partner.handoff_notices import Notice, once_more
from mailrouter.routing.partner.handoff_text import Written
from mailrouter.routing.partner.readings import understood
from mailrouter.routing.partner.schedule_mail import Asked
from mailrouter.routing.partner.schedule_notices import Understood
from mailrouter.routing.people import today_of
from mailrouter.schedule.changes.changes import change_for
from mailrouter.schedule.changes.edits import Edit, changed, same_schedule
from mailrouter.schedule.date_words import called
from mailrouter.schedule.language.lexer import Unclear
from mailrouter.schedule.language.requests import Back, Cancel, Plain, Request
from mailrouter.schedule.model import Person, Role
from mailrouter.trust.confirmations import SCHEDULE

_MOST_PROBLEMS = 10
_CLOCKS = timedelta(minutes=5)
"""By how much the writer's clock and ours may differ."""
_NOT_SEEN = "not seen"
"""In place of the mark of the text that an edited file was compared with: it could not be compared."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposed text of a role's file, and its role. The service's loader makes the role of it."""

    text: bytes
    role: Role


class NothingToDo(MailrouterError):
    """The schedule is already as it is asked to be."""


class RoleFile(Protocol):
    """A role's file, as far as deciding needs it; what is written into it comes later."""

    def current(self) -> Proposed:
        """The file as it is now. Raises MailrouterError."""

    def edited(self, base: Proposed, edits: Sequence[Edit]) -> Proposed:
        """The file with these edits. Raises MailrouterError."""

    def replaced(self, text: bytes) -> Proposed:
        """The file with this text. Raises ConfigurationError with all problems."""

    def compared(self, base: Proposed, proposed: Proposed, today: date) -> FileDifference:
        """The effect of another text, from ``today`` on."""

    def merged(self, common: str, edited: str, current: str) -> str:
        """See ``merged_file.merged``."""

    def taken_back(
        self, current: str, new: str, past: Sequence[PastChange], author: str
    ) -> PastChange | None:
        """See ``merged_file.taken_back``."""

    def shown(self, role: Role) -> Role:
        """A role with its calendars' absences, as people see it."""


@dataclass(frozen=True, slots=True)
class LastChange:
    """The newest change that is not undone: its id, the queue id that its notices are known by, what it did, and the
    file's text before and after; ``at`` is when it was made."""

    id: int
    at: datetime
    queue: str
    what: str
    author: str
    before: bytes
    after: bytes


class ScheduleRequest(PartnerRequest):
    """The purpose of the schedule address of one role."""

    tag = SCHEDULE
    what = "change"
    a_what = "a change of the schedule"

    def __init__(
        self,
        file: RoleFile,
        last: LastChange | None,
        past: Sequence[PastChange] = (),
    ) -> None:
        self._file, self._last, self._past = file, last, past
        self._loaded: dict[bytes, Proposed] = {}

    def written(self, mail: Handed, author: Person) -> Written:
        """The request in the mail; a problem where it isn't understood."""
        if mail.contents is None:
            return too_large()
        found = mail.contents.asked
        if isinstance(found, Written):
            return found
        if found.kind == "words":
            try:
                understood(found, mail.situation.role, author, mail.situation.duty.moment)
            except Unclear as unclear:
                return Written(problem=unclear.why)
        if found.kind == "file":
            return self._written_file(mail, found, author)
        return Written(found.kept(), "the text of the mail")

    def _written_file(self, mail: Handed, found: Asked, author: Person) -> Written:
        """An edited file, marked with the text it replaces.

        It was compared with that text, and is taken only in its place.
        """
        try:
            base, proposed, older = self._compared(mail, found, author)
        except MailrouterError:
            return Written(replace(found, answers=found.answers or _NOT_SEEN).kept(), "your edited file")
        if self._file_change(mail.situation, base, proposed).lines.hidden:
            return Written(
                problem="The file differs in too many lines from the one in force to be shown to you both; please "
                "send it in steps, or have IT put it in place."
            )
        text, mark = proposed.text.decode("utf-8", "replace"), version_mark(base.text)
        kept = replace(found, text=text, answers=mark, merged=older)
        return Written(kept.kept(), "your edited file")

    def _compared(self, mail: Handed, asked: Asked, author: Person) -> tuple[Proposed, Proposed, bool]:
        """The file as it is, and as the mail would have it; and whether that was made of an older text.

        Raises MailrouterError where it can't be used.
        """
        base = self._file.current()
        text, older = self._resolved(base, asked, author)
        proposed = self._replaced(text)
        may_become(base.role, proposed.role, mail.situation.our_domains)
        return base, proposed, older

    def _replaced(self, text: bytes) -> Proposed:
        """The file with this text, which is loaded once. Raises ConfigurationError."""
        if text not in self._loaded:
            self._loaded[text] = self._file.replaced(text)
        return self._loaded[text]

    def question(self, mail: Handed, author: Person, written: Written) -> Notice:
        """With the words that were written: what they come to depends on the file when they are confirmed.

        Of an edited file every line that differs is shown; it is taken only in place of the text that it was compared
        with.
        """
        asked = Asked.of(written.text)
        change = None
        if asked.kind == "file":
            lines: list[str] = []
            try:
                base, proposed, _ = self._compared(mail, asked, author)
                change = self._file_change(mail.situation, base, proposed)
            except MailrouterError:
                change = None
        else:
            lines = (asked.text or asked.subject).splitlines()
        return schedule_notices.confirm(mail.situation, mail.head, author, lines, question_of(mail), change)

    def _file_change(self, situation: Situation, base: Proposed, proposed: Proposed) -> FileDifference:
        """The effect of a new text, in lines and in duty."""
        return self._file.compared(base, proposed, today_of(base.role, situation.duty))

    def once_more(self, mail: Handed, author: Person, until: datetime) -> Notice:
        """The notice that says how to confirm."""
        return once_more(mail.situation, mail.head, author, mail.ask_from, "schedule of", until)

    def refused(self, mail: Handed, author: Person, problem: str, *, understood: bool = False) -> Notice:
        """With examples, and the week as it stands."""
        return schedule_notices.refused(mail.situation, mail.head, author, problem, examples=not understood)

    def done(self, mail: Handed, author: Person, written: Written, at: datetime) -> Handover:
        """The change and the notices about it, or an answer."""
        asked = Asked.of(written.text)
        try:
            base = self._file.current()
        except ConfigurationError as error:
            return self._broken(mail, author, error.problems)
        except MailrouterError as error:
            return self._answer(mail, author, str(error), examples=False)
        try:
            if asked.kind == "file":
                return self._whole_file(mail, author, base, asked)
            return self._words(mail, author, base, asked, at)
        except Unclear as unclear:
            return self._answer(mail, author, unclear.why)
        except ConfigurationError as error:
            return self._problems(mail, author, error.problems)
        except MailrouterError as error:
            return self._answer(mail, author, str(error), examples=False)

    def _words(self, mail: Handed, author: Person, base: Proposed, asked: Asked, at: datetime) -> Handover:
        requests = understood(asked, mail.situation.role, author, at)
        if isinstance(requests[0], Plain):
            match requests[0].what:
                case "undo":
                    return self._undo(mail, author, base, asked)
                case "send file":
                    return self._send_file(mail, author, base)
                case what:
                    return self._tell(mail, author, base, examples=what == "help")
        try:
            return self._change(mail, author, base, requests, at)
        except NothingToDo as already:
            return self._answer(mail, author, str(already), examples=False)

    def by_command(self, situation: Situation, requests: Sequence[Request], queue: str) -> Handover:
        """The change, with notices, of a command, which is always proven.

        Raises MailrouterError where it can't be made, NothingToDo where it stands so already.
        """
        scanner = Scanner()
        scanner.feed(b"\r\n")
        shape = scanner.finish()
        mail = Handed(situation, scanner.head, shape, None, None, False, queue=queue)
        base = self._file.current()
        try:
            if requests == (Plain("undo"),):
                return self._undo(mail, None, base, Asked("words", "undo"))
            return self._change(mail, None, base, requests, situation.duty.moment)
        except Unclear as unclear:
            raise MailrouterError(unclear.why) from None

    def _change(
        self, mail: Handed, author: Person | None, base: Proposed, requests: Sequence[Request], at: datetime
    ) -> Handover:
        role = base.role
        now = _wall(role, author, at)
        try:
            change = change_for(role, requests, now, at)
        except Unclear:
            self._not_of_a_calendar(role, requests, now)
            raise
        if not change.edits:
            raise NothingToDo(" ".join(change.words))
        proposed = self._file.edited(base, change.edits)
        if not same_schedule(proposed.role, changed(role, change.edits)):
            raise MailrouterError(
                "The file is written in a way in which this can't be put in safely; please change it by hand "
                '(answer "send file" to get it).'
            )
        return self._set(mail, author, base, proposed, Understood(change.words, change.first, change.notes))

    def _not_of_a_calendar(self, role: Role, requests: Sequence[Request], now: datetime) -> None:
        """Refuse to end an absence that only a calendar has. Raises MailrouterError."""
        if not any(isinstance(request, Back | Cancel) for request in requests):
            return
        try:
            change_for(self._file.shown(role), requests, now)
        except Unclear:
            return
        raise MailrouterError(
            "That absence comes from a partner's own calendar, so it can be ended there alone; within an hour it is "
            "ended here as well."
        )

    def _undo(self, mail: Handed, author: Person | None, base: Proposed, asked: Asked) -> Handover:
        last = self._last
        if last is None:
            raise MailrouterError("There is nothing to undo.")
        if asked.answers and asked.answers != last.queue:
            raise MailrouterError(
                "What you answered to is not the last change any more, so nothing was undone. The last one is: "
                f'{last.what} To undo that, write "undo" in a new mail.'
            )
        if author is not None and not asked.answers:
            _not_older(asked.sent_at, last)
        if base.text != last.after:
            raise MailrouterError(
                "The file was changed by hand since, so nothing was undone; undoing would throw that away. "
                'Answer "send file" to get it and change it yourself.'
            )
        proposed = self._replaced(last.before)
        words = (f"Undone: {last.what}",)
        return self._set(mail, author, base, proposed, Understood(words, undoes=last.id), whole=True)

    def _whole_file(self, mail: Handed, author: Person, base: Proposed, asked: Asked) -> Handover:
        if mail.waiting and asked.answers not in ("", _NOT_SEEN, version_mark(base.text)):
            raise MailrouterError(
                "The file was changed since you were asked, so yours was not taken: it would undo that. Answer "
                '"send file" to get the newest one.'
            )
        text, older = self._resolved(base, asked, author)
        proposed = self._replaced(text)
        may_become(base.role, proposed.role, mail.situation.our_domains)
        if asked.answers == _NOT_SEEN:
            raise MailrouterError(
                "The file had mistakes when you were asked, so what it changes was not shown to you, and nothing was "
                "changed. Please send it again."
            )
        if text == base.text:
            return self._answer(
                mail, author, "The file is just as it was; nothing was changed.", examples=False
            )
        words = [f"{called(base.role)[author.key]} sent an edited file, and it is taken."]
        if older or asked.merged:
            words.append("The file was changed meanwhile; what was changed there still stands.")
        return self._set(mail, author, base, proposed, Understood(words), whole=True)

    def _resolved(self, base: Proposed, asked: Asked, author: Person) -> tuple[bytes, bool]:
        """The file's new text, and whether it came from an older. Raises MailrouterError."""
        plain, version = without_version(asked.text.replace("\r\n", "\n"))
        text = with_line_ends_of(base.text, plain)
        version = version or ("" if asked.answers == _NOT_SEEN else asked.answers)
        if version and version != version_mark(base.text):
            return self._put_together(base.text, text, version), True
        if not version:
            self._takes_nothing_back(base.text, text, called(base.role)[author.key])
        return text, False

    def _put_together(self, current: bytes, text: bytes, version: str) -> bytes:
        """The file as it is, with the edits of ``version``. They were made in its text. Raises MailrouterError."""
        known = text_of_version(version, self._past)
        if known is None:
            raise MailrouterError(
                "The file was changed since it was sent to you, so yours was not taken: it would undo that. Answer "
                '"send file" to get the newest one.'
            )
        texts = (found.decode("utf-8", "replace") for found in (known, text, current))
        return with_line_ends_of(
            current, self._file.merged(*(found.replace("\r\n", "\n") for found in texts))
        )

    def _takes_nothing_back(self, current: bytes, text: bytes, author: str) -> None:
        """Refuse a file without version that undoes others' changes. Raises MailrouterError."""
        now, new = (found.decode("utf-8", "replace") for found in (current, text))
        if (change := self._file.taken_back(now, new, self._past, author)) is not None:
            raise MailrouterError(
                f"Your file would take back what {change.author or 'a command'} changed: {change.what} It doesn't say "
                'which version of the file it was made from, so it was not taken. Answer "send file" to get the newest '
                "one, and change that."
            )

    def _set(
        self,
        mail: Handed,
        author: Person | None,
        base: Proposed,
        proposed: Proposed,
        understood: Understood,
        *,
        whole: bool = False,
    ) -> Handover:
        """``whole``: the text is another one, of which words do not tell all."""
        difference = self._file_change(mail.situation, base, proposed)
        told = schedule_notices.changed_notices(
            mail.situation,
            mail.head,
            author,
            difference if whole else replace(difference, lines=NO_LINES),
            understood,
            mail.queue,
        )
        what = " ".join(understood.words)
        reason = f"the file is changed, and the partners are told: {what}"
        at = mail.situation.duty.moment
        return Handover(
            "set",
            (reason,),
            author,
            "",
            at,
            told,
            FileChange(base.text, proposed.text, what, understood.undoes),
        )

    def _send_file(self, mail: Handed, author: Person, base: Proposed) -> Handover:
        told = schedule_notices.file(mail.situation, mail.head, author, base.text, version_mark(base.text))
        return Handover("answer", ("the file is sent to this partner alone",), author, notices=(told,))

    def _tell(self, mail: Handed, author: Person, base: Proposed, *, examples: bool) -> Handover:
        told = schedule_notices.week(
            mail.situation, mail.head, author, self._file.shown(base.role), examples=examples
        )
        return Handover("answer", ("who is in is told to this partner alone",), author, notices=(told,))

    def _answer(self, mail: Handed, author: Person, problem: str, *, examples: bool = True) -> Handover:
        told = schedule_notices.refused(mail.situation, mail.head, author, problem, examples=examples)
        return Handover(
            "answer", ("nothing changes, and this partner alone is told why",), author, notices=(told,)
        )

    def _problems(self, mail: Handed, author: Person, problems: Sequence[Problem]) -> Handover:
        told = schedule_notices.problems(mail.situation, mail.head, author, problems[:_MOST_PROBLEMS])
        return Handover("answer", ("the new text of the file has problems",), author, notices=(told,))

    def _broken(self, mail: Handed, author: Person, problems: Sequence[Problem]) -> Handover:
        told = schedule_notices.problems(
            mail.situation, mail.head, author, problems[:_MOST_PROBLEMS], already=True
        )
        return Handover("answer", ("the file has problems as it is",), author, notices=(told,))


def _not_older(sent: datetime | None, last: LastChange) -> None:
    """Refuse an "undo" perhaps written before the change. Raises MailrouterError."""
    if sent is not None and sent >= last.at - _CLOCKS:
        return
    why = (
        "You wrote this before the last change was made"
        if sent
        else "The mail doesn't say when it was written"
    )
    raise MailrouterError(
        f"{why}, so nothing was undone. The last change is: {last.what} To undo that, answer the message about it "
        'with "undo".'
    )


def _wall(role: Role, author: Person | None, moment: datetime) -> datetime:
    """The wall time where the author is, or the role, by command. So "today" is the author's today."""
    zone = (author.time_zone if author else None) or role.time_zone
    return moment.astimezone(zone).replace(tzinfo=None)
