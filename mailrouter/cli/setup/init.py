"""``mailrouter init``: a commented configuration, from five questions or from options."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mailrouter.cli.common import as_called, width
from mailrouter.cli.setup.init_answers import Answers, nameless, texts
from mailrouter.config import problems_of_texts
from mailrouter.config.schema import texts as schemas
from mailrouter.errors import MailrouterError, UsageError
from mailrouter.runtime.templates import shipped
from mailrouter.schedule.countries import country_of

DIRECTORY_MODE, FILE_MODE = 0o750, 0o640
"""The files name people and their telephone numbers: not for everybody on the machine."""
SYSTEM_DATA = "/var/lib/mailrouter"

Ask = Callable[[str], str]
_OPTIONS = {
    "role": "--role",
    "name": "--name",
    "first": "--partner",
    "second": "--partner",
    "time_zone": "--time-zone",
    "deliver": "--deliver",
}
_PLAIN = {
    "role": "the role's address",
    "name": "what people call the role, as in 'VP Human Resources'",
    "first": "one partner, as in 'Laurie Cremona <laurie@example.com>'",
    "second": "the other partner: give --partner twice",
    "time_zone": "their time zone, as in Europe/Berlin; this machine doesn't say",
}
"""What each option without a default is for."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to know: its field in Answers, and how it is asked."""

    field: str
    text: str
    default: str = ""


def init(options: argparse.Namespace) -> int:
    """Make the folder, and say what to do next. Raises MailrouterError where something is there already."""
    folder: Path = options.folder
    _refuse_what_is_there(folder)
    data = SYSTEM_DATA if folder.absolute().is_relative_to("/etc") else ""
    questions = _questions(data)
    given = _given(options)
    if options.yes or not sys.stdin.isatty():
        answers = from_options(given, questions, Answers(data=data))
    else:
        _check_options(given, Answers(data=data))
        print(f"Five questions, then {folder}/ is made. Ctrl-C leaves everything as it is.")
        answers = ask_all(given, questions, Answers(data=data), input)
        print()
    made = write(folder, answers)
    print(_what_next(folder, answers, made))
    return 0


def _questions(data: str) -> list[Question]:
    from mailrouter.cli.setup.system_zone import system_time_zone

    return [
        Question("role", "1. The role's address, the one that colleagues write to"),
        Question("name", "2. What people call the role, as in VP Human Resources"),
        Question("first", "3. The two partners. The first, as in Laurie Cremona <laurie@example.com>"),
        Question("second", "   and the second"),
        Question("time_zone", "4. Their time zone, as in Europe/Berlin", system_time_zone(os.environ)),
        Question(
            "deliver",
            "5. Where copies go: your mail server, as in smtp://127.0.0.1:25, or a folder, to try it",
            f"maildir:{data}/mail" if data else "maildir:var/mail",
        ),
    ]


def _given(options: argparse.Namespace) -> dict[str, str]:
    """The answers that came as options."""
    if len(options.partner) > 2:
        raise UsageError("--partner is for two; write further partners into the role's file.")
    partners = dict(zip(("first", "second"), options.partner, strict=False))
    named = {name: getattr(options, name) for name in ("role", "name", "time_zone", "deliver")}
    return {**{name: text for name, text in named.items() if text is not None}, **partners}


def from_options(given: Mapping[str, str], questions: list[Question], answers: Answers) -> Answers:
    """The answers without asking. Raises UsageError with all that is missing or can't be used."""
    missing = [question for question in questions if question.field not in given and not question.default]
    if missing:
        lines = [f"  {_OPTIONS[question.field]:<12} {_PLAIN[question.field]}" for question in missing]
        raise UsageError("\n".join(["without asking, these options are needed:", *lines]))
    defaults = {q.field: q.default for q in questions if q.default}
    return _check_options({**defaults, **given}, answers)


def _check_options(given: Mapping[str, str], answers: Answers) -> Answers:
    wrong = []
    for name, text in ((name, given[name]) for name in _OPTIONS if name in given):
        candidate = replace(answers, **{name: text})
        if told := complaint(candidate, name):
            wrong.append(f"  {_OPTIONS[name]} {shlex.quote(text)}: {told}")
        else:
            answers = candidate
    if wrong:
        raise UsageError("\n".join(["these options can't be used:", *wrong]))
    return answers


def ask_all(given: Mapping[str, str], questions: list[Question], answers: Answers, ask: Ask) -> Answers:
    """Complete answers, asking with ``ask`` for what is missing or wrong."""
    answers = replace(answers, **given)
    for question in questions:
        if question.field not in given:
            print(f"\n{textwrap.fill(question.text, width(), subsequent_indent='   ')}")
            answers = ask_one(question, answers, ask)
    return answers


def ask_one(question: Question, answers: Answers, ask: Ask) -> Answers:
    """``answers`` with this one, asked until it can be used. Raises MailrouterError at the input's end."""
    prompt = f"   [{question.default}] > " if question.default else "   > "
    while True:
        try:
            typed = ask(prompt).strip() or question.default
        except EOFError:
            raise MailrouterError("the answers ended; nothing was made.") from None
        candidate = replace(answers, **{question.field: typed})
        told = complaint(candidate, question.field) if typed else "an answer is needed here"
        if not told:
            return candidate
        print(textwrap.fill(told, width(), initial_indent="   ", subsequent_indent="   "))


def complaint(answers: Answers, field: str) -> str:
    """The complaint of ``check`` about these answers' files, or ``""``."""
    if field in ("first", "second") and nameless(getattr(answers, field)):
        return "the name is missing; write it as Laurie Cremona <laurie@example.com>"
    settings, role = texts(answers, *_examples())
    problems = problems_of_texts(settings, answers.key, role)
    # The role's file first: a domain that is wrong in the role's address is wrong in our_domains, too.
    for problem in sorted(problems, key=lambda problem: not problem.file.startswith("roles")):
        return problem.what + (f"; {problem.hint}" if problem.hint else "")
    return ""


def _examples() -> tuple[str, str]:
    """The shipped files whose texts are the base."""
    folder = shipped("config")
    return (folder / "mailrouter.yaml").read_text("utf-8"), (folder / "roles/vp-hr.yaml").read_text("utf-8")


def _refuse_what_is_there(folder: Path) -> None:
    there = [folder] if folder.exists() and not folder.is_dir() else []
    there += [folder / "mailrouter.yaml"] if (folder / "mailrouter.yaml").exists() else []
    there += [*sorted(folder.glob("roles/*.y*ml")), *sorted(folder.glob("schema/*.json"))]
    if there:
        raise MailrouterError(
            f"{there[0]} is there already, and nothing is ever overwritten. Name another folder, or move "
            f"this one away. (A second role needs no init: copy a file in {folder / 'roles'} and change it.)"
        )


def write(folder: Path, answers: Answers) -> list[Path]:
    """Write all files or none, with modes independent of the umask. Raises MailrouterError."""
    settings, role = texts(answers, *_examples())
    files = {folder / "mailrouter.yaml": settings, folder / "roles" / f"{answers.key}.yaml": role}
    files |= {folder / "schema" / name: text for name, text in schemas().items()}
    made: list[Path] = []
    try:
        for path, text in files.items():
            _make_folders(path.parent, folder)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
            made.append(path)
            with open(descriptor, "w", encoding="utf-8") as file:
                os.fchmod(descriptor, FILE_MODE)
                file.write(text)
    except OSError as error:
        for path in made:
            path.unlink(missing_ok=True)
        raise MailrouterError(
            f"{error.filename or folder} can't be made: {error.strerror or error}."
        ) from None
    return made


def _make_folders(path: Path, top: Path) -> None:
    """``path`` below ``top``, and ``top``; folders above that are missing get the usual mode."""
    for wanted in dict.fromkeys((top, path)):
        if not wanted.is_dir():
            wanted.mkdir(parents=True)
            wanted.chmod(DIRECTORY_MODE)


def _what_next(folder: Path, answers: Answers, made: list[Path]) -> str:
    own = "" if folder.absolute() == Path.cwd() / "config" else f" --config {shlex.quote(str(folder))}"
    return "\n".join(_lines(folder, answers, made, own))


def _lines(folder: Path, answers: Answers, made: list[Path], own: str) -> Iterator[str]:
    yield "Made:"
    for path, about in zip(made, ("the service, IT's", "the partners' rota, absences, swaps"), strict=False):
        yield f"  {path}  ({about})"
    yield f"  {folder / 'schema'}  (help for editors)"
    data = Path(answers.data) if answers.data else folder.absolute().parent / "var"
    if (data / "mailrouter.db").exists():
        yield from _told(
            f"There is a store in {data} already, and this configuration would use it too. "
            f"Move {folder.name} into a folder of its own, or name another `store:` in it."
        )
    first, second = answers.keys
    yield from _told(
        f"The rota is a guess: {first} and {second} share the week. Change it in {made[1]}, and name a "
        f"country there (`{_holidays(answers)}`), or public holidays are working days."
    )
    domain = answers.role.rpartition("@")[2].strip()
    yield from _told(
        f"Who is told when mail can't be delivered: postmaster@{domain}. If nobody reads that, "
        f"put `postmaster:` into {made[0]}."
    )
    yield "\nThen:"
    for command, about in (
        ("check", "is everything right?"),
        (f"schedule {answers.key}", "who is on duty, and why"),
        ("serve", "take mail for the role"),
    ):
        yield f"  {as_called()} {command}{own}\n      {about}"


def _holidays(answers: Answers) -> str:
    """The name of the public holidays: those of the country where the role's clocks hang, where that is known."""
    country = country_of(answers.time_zone.strip())
    return f"holidays: {{country: {country}}}" if country else "holidays:"


def _told(words: str) -> Iterator[str]:
    """A paragraph as wide as the terminal; a path is never broken."""
    yield ""
    yield from textwrap.wrap(words, width(), break_long_words=False, break_on_hyphens=False)
