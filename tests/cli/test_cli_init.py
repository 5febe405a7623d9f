"""`mailrouter init`: a folder that works, from questions or from options."""

from __future__ import annotations

import os
import pty
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailrouter import config
from mailrouter.cli import main
from mailrouter.cli.setup.init import Question, ask_all
from mailrouter.cli.setup.init_answers import Answers, texts
from mailrouter.cli.setup.system_zone import system_time_zone
from mailrouter.errors import ConfigurationError, MailrouterError
from tests.support.examples import examples

EXAMPLE = Path(__file__).parents[2] / "config"
OPTIONS = [
    *("--role", "hr@acme.example", "--name", "Head of HR", "--time-zone", "Europe/Berlin"),
    *(
        "--partner",
        "Laurie Cremona <laurie@acme.example>",
        "--partner",
        "Elaine Miller <elaine@acme.example>",
    ),
]
QUESTIONS = [
    Question("role", "role"),
    Question("name", "name"),
    Question("first", "first"),
    Question("second", "second"),
    Question("time_zone", "zone", "Europe/Berlin"),
    Question("deliver", "where", "maildir:var/mail"),
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(*answers: str) -> Callable[[str], str]:
    """Somebody who types these lines, then ends the input."""
    lines: Iterator[str] = iter(answers)

    def ask(prompt: str) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    return ask


def test_what_is_worth_knowing_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who hears of trouble, that holidays need a country, and that a store beside it would be shared."""
    assert main(["init", "one", *OPTIONS]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "postmaster@acme.example" in told
    assert "public holidays are working days" in told
    assert "would use it too" not in told
    (here / "var").mkdir()
    (here / "var" / "mailrouter.db").touch()
    assert main(["init", "two", *OPTIONS]) == 0
    assert f"There is a store in {here / 'var'} already" in " ".join(capsys.readouterr().out.split())


def test_the_folder_passes_check(capsys: pytest.CaptureFixture[str]) -> None:
    """What init writes from options is a configuration without problems, and says what was given."""
    assert main(["init", "config", *OPTIONS, "--deliver", "smtp://127.0.0.1:25"]) == 0
    assert main(["check"]) == 0
    found = config.load(Path("config"), fqdn=lambda: "mx.acme.example")
    (role,) = found.roles
    assert (role.key, role.address, role.name) == ("hr", "hr@acme.example", "Head of HR")
    assert [(p.key, p.name, p.email) for p in role.partners] == [
        ("laurie", "Laurie Cremona", "laurie@acme.example"),
        ("elaine", "Elaine Miller", "elaine@acme.example"),
    ]
    assert role.time_zone.key == "Europe/Berlin"
    assert str(found.settings.deliver) == "smtp://127.0.0.1:25"
    assert found.settings.our_domains == {"acme.example"}
    assert (role.absences, role.swaps, role.emergency, role.holidays, role.aliases) == (
        (),
        (),
        None,
        None,
        (),
    )
    assert "mailrouter check\n" in capsys.readouterr().out


def test_nothing_of_the_example_is_left() -> None:
    """No address, name or day of the example's people is in force in a new folder, and its comments are kept."""
    main(["init", "config", *OPTIONS])
    for made, example in (("mailrouter.yaml", "mailrouter.yaml"), ("roles/hr.yaml", "roles/vp-hr.yaml")):
        text = (Path("config") / made).read_text()
        assert "example.test" not in text
        assert not [line for line in text.splitlines() if line != line.rstrip()]
        comments = [line for line in (EXAMPLE / example).read_text().splitlines() if line.startswith("# ")]
        kept = [line for line in comments if line in text]
        assert len(kept) >= len(comments) - 5, set(comments) - set(kept)


@pytest.mark.parametrize("umask", [0, 0o077])
def test_the_files_are_for_owner_and_group_alone(umask: int) -> None:
    """0640 and 0750, whatever the umask."""
    before = os.umask(umask)
    try:
        main(["init", "new/config", *OPTIONS])
    finally:
        os.umask(before)
    modes = {
        path: stat.S_IMODE(path.stat().st_mode)
        for path in (Path("new/config"), *Path("new/config").rglob("*"))
    }
    assert {oct(mode) for path, mode in modes.items() if path.is_dir()} == {"0o750"}
    assert {oct(mode) for path, mode in modes.items() if path.is_file()} == {"0o640"}


@pytest.mark.parametrize("there", ["mailrouter.yaml", "roles/cfo.yaml", "schema/role.schema.json"])
def test_nothing_is_overwritten(there: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with anything of a configuration in it stays as it is, and is named."""
    (Path("config") / there).parent.mkdir(parents=True, exist_ok=True)
    (Path("config") / there).write_text("mine")
    assert main(["init", "config", *OPTIONS]) == 1
    assert f"config/{there} is there already" in capsys.readouterr().err
    assert [p.name for p in Path("config").rglob("*") if p.is_file()] == [Path(there).name]
    assert (Path("config") / there).read_text() == "mine"


def test_a_folder_that_cant_be_made_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A file where a folder should be is an answer, not a traceback."""
    Path("file").write_text("")
    assert main(["init", "file/config", *OPTIONS]) == 1
    assert main(["init", "file", *OPTIONS]) == 1
    assert "Not a directory" in capsys.readouterr().err


def test_without_a_terminal_all_that_is_missing_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """One run says every option that is needed; nothing is made."""
    assert main(["init", "--role", "hr@acme.example"]) == 2
    said = capsys.readouterr().err
    assert [line.split()[0] for line in said.splitlines()[1:]][:3] == ["--name", "--partner", "--partner"]
    assert not Path("config").exists()


def test_options_that_cant_be_used_are_told_as_check_would(capsys: pytest.CaptureFixture[str]) -> None:
    """Every wrong option with the very words of `check`, at once."""
    wrong = ["--role", "hr", "--time-zone", "Berlin", "--deliver", "smpt://x", "--name", "N"]
    partners = ["--partner", "Jo <jo@x.test>", "--partner", "Al <jo@x.test>"]
    assert main(["init", "--yes", *wrong, *partners]) == 2
    assert capsys.readouterr().err.splitlines()[1:] == [
        "  --role hr: hr is not a mail address; it needs an @, as in laurie@example.com",
        "  --partner 'Al <jo@x.test>': jo@x.test is jo's mailbox already; each partner needs their own",
        "  --time-zone Berlin: Berlin is not a time zone here; did you mean `Europe/Berlin`?",
        "  --deliver smpt://x: smpt://x is not a destination; did you mean `smtp`?",
    ]


def test_a_wrong_answer_is_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Each answer that can't be used gets the words of `check` and the question again."""
    script = ["hr", "hr+x@acme.example", "hr@acme.example", "", "Head of HR", "Laurie", "hr@acme.example"]
    script += ["Laurie C <hr@acme.example>", "Laurie C <laurie@acme.example>", "Elaine M elaine@acme.example"]
    answers = ask_all({}, QUESTIONS, Answers(), typed(*script, "PST", "", "lmtp:x", ""))
    said = " ".join(capsys.readouterr().out.split())
    for words in (
        "hr is not a mail address; it needs an @",
        "a role's address can't have a + in it",
        "an answer is needed here",
        "Laurie is not a mail address; it needs an @",
        "the name is missing; write it as Laurie Cremona <laurie@example.com>",
        "hr@acme.example is the role's own address, so its mail would go round in a circle",
        "PST is not a time zone here",
        "lmtp is not available in this version",
    ):
        assert words in said
    assert answers == Answers(
        role="hr@acme.example",
        name="Head of HR",
        first="Laurie C <laurie@acme.example>",
        second="Elaine M elaine@acme.example",
        time_zone="Europe/Berlin",
        deliver="maildir:var/mail",
    )


def test_what_is_given_is_not_asked() -> None:
    """Options answer their questions; the end of the input leaves everything as it is."""
    given_ = {"role": "hr@a.example", "name": "HR", "first": "L <l@a.example>", "deliver": "maildir:m"}
    answers = ask_all(given_, QUESTIONS, Answers(), typed("E <e@a.example>", ""))
    assert (answers.second, answers.deliver) == ("E <e@a.example>", "maildir:m")
    with pytest.raises(MailrouterError, match="nothing was made"):
        ask_all(given_, QUESTIONS, Answers(), typed())


def test_it_asks_at_a_terminal(here: Path) -> None:
    """At a real terminal five questions are asked, and the folder is there."""
    ours, theirs = pty.openpty()
    said = [
        "hr@acme.example",
        "Head of HR",
        "Laurie C <l@acme.example>",
        "Elaine M <e@acme.example>",
        "UTC",
        "",
    ]
    command = [sys.executable, "-m", "mailrouter", "init"]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, text=True, cwd=here) as running:
        os.close(theirs)
        os.write(ours, "".join(line + "\n" for line in said).encode())
        out, _ = running.communicate(timeout=30)
        os.close(ours)
    assert running.returncode == 0, out
    assert "Five questions" in out
    assert config.load(here / "config").roles[0].key == "hr"


def test_below_etc_mail_lies_in_var_lib() -> None:
    """Paths that count from the folder above would fill /etc with mail."""
    settings_text, _ = texts(
        Answers(data="/var/lib/mailrouter", deliver="maildir:/var/lib/mailrouter/mail"),
        (EXAMPLE / "mailrouter.yaml").read_text(),
        (EXAMPLE / "roles/vp-hr.yaml").read_text(),
    )
    for line in ("store: sqlite:/var/lib/mailrouter/mailrouter.db", "run_folder: /var/lib/mailrouter/run"):
        assert line in settings_text


@pytest.mark.parametrize(
    ("first", "second", "keys"),
    [
        ("Laurie Cremona <l@x.test>", "Elaine Miller <e@x.test>", ("laurie", "elaine")),
        ("Zoë Ännchen <z@x.test>", "zoe miller <m@x.test>", ("zoe", "zoe-m")),
        ("Dr. Jo Doe <a@x.test>", "Jo <b@x.test>", ("jo", "jo-2")),
        ("All Smith <a@x.test>", "山田 <b@x.test>", ("all-1", "partner")),
    ],
)
def test_short_names_come_from_first_names(first: str, second: str, keys: tuple[str, str]) -> None:
    """One plain word each, and never the same for both."""
    assert Answers(first=first, second=second).keys == keys


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=30)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(role=NAMES, first=NAMES, second=NAMES)
def test_any_names_make_a_folder_that_says_them(tmp_path: Path, role: str, first: str, second: str) -> None:
    """Whatever is typed as a name stands in the file as it was typed, or is refused in words; YAML never breaks."""
    answers = Answers(name=role, first=f"{first} <a@x.test>", second=f"{second} <b@x.test>")
    example = ((EXAMPLE / "mailrouter.yaml").read_text(), (EXAMPLE / "roles/vp-hr.yaml").read_text())
    (tmp_path / "roles").mkdir(exist_ok=True)
    for path, text in zip(("mailrouter.yaml", "roles/role.yaml"), texts(answers, *example), strict=True):
        (tmp_path / path).write_text(text)
    try:
        (found,) = config.load(tmp_path).roles
    except ConfigurationError as error:
        assert all(problem.file.endswith("role.yaml") for problem in error.problems)  # noqa: PT017
        assert not (role.isalnum() and first.isalnum() and second.isalnum())
    else:
        assert found.name == role.strip()


def test_the_systems_time_zone(tmp_path: Path) -> None:
    """TZ comes first, then /etc/localtime, then /etc/timezone; what is no place is passed over."""
    (tmp_path / "etc").mkdir()
    assert system_time_zone({}, tmp_path) == ""
    (tmp_path / "etc/timezone").write_text("Europe/Paris\n")
    assert system_time_zone({"TZ": "EST5EDT"}, tmp_path) == "Europe/Paris"
    (tmp_path / "usr/share/zoneinfo/Asia").mkdir(parents=True)
    (tmp_path / "usr/share/zoneinfo/Asia/Tokyo").write_text("")
    (tmp_path / "etc/localtime").symlink_to(tmp_path / "usr/share/zoneinfo/Asia/Tokyo")
    assert system_time_zone({}, tmp_path) == "Asia/Tokyo"
    assert system_time_zone({"TZ": ":Europe/Berlin"}, tmp_path) == "Europe/Berlin"


@pytest.mark.parametrize("columns", [40, 80])
def test_what_is_said_at_the_end_fits_the_terminal(
    columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its sentences are broken between words and nowhere else, and no paragraph has a hole in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["init", "conf", "--yes", *OPTIONS]) == 0
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if len(line) > columns and not line.startswith("  ")] == []
    (told,) = [part for part in said.split("\n\n") if part.startswith("Who is told")]
    assert " ".join(told.split()).endswith(
        "If nobody reads that, put `postmaster:` into conf/mailrouter.yaml."
    )
