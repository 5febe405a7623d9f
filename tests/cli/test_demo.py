"""`mailrouter demo`: the real thing in a process of its own, as somebody sees it who tries it."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.cli import main
from mailrouter.demo.cards import reflowed
from mailrouter.demo.mails import scenes
from mailrouter.demo.paper import Card, Line, Paper, cells, harmless, wrap
from mailrouter.demo.reading import part, parts
from mailrouter.routing.wording import tidy

DEMO = [sys.executable, "-m", "mailrouter", "demo"]
CHECKOUT = Path(__file__).parents[2]
NOON = datetime(2026, 12, 3, 12, tzinfo=UTC)


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    """The tests' own surroundings, with temporary folders in ``tmp_path``."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "TERM")}
    temporary = tmp_path / "tmp"
    temporary.mkdir(exist_ok=True)
    return kept | {"TMPDIR": str(temporary), "PYTHONPATH": str(CHECKOUT), "PYTHONUTF8": "1"} | more


def run(tmp_path: Path, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    """One run to its end."""
    return subprocess.run(
        [*DEMO, *options],
        env=environment(tmp_path, **more),
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


class Running:
    """A demo that stays up; ``screen`` is what it has shown."""

    def __init__(self, process: subprocess.Popen[bytes], screen: int) -> None:
        self.process = process
        self.screen = ""
        self._descriptor = screen

    def shows(self, pattern: str, seconds: float = 30.0) -> str:
        """What the screen shows once ``pattern`` is on it."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.screen, re.S):
            left = end - time.monotonic()
            if left < 0 or not select.select([self._descriptor], [], [], left)[0]:
                raise TimeoutError(f"{pattern!r} was not shown in: {self.screen[-2000:]}")
            self._read()
        return self.screen

    def ended(self) -> int:
        """The exit code; reads what is shown up to it."""
        while self._read():
            pass
        return self.process.wait(20)

    def _read(self) -> bool:
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:  # a terminal whose other end is closed
            data = b""
        self.screen += data.decode("utf-8", "replace")
        return bool(data)

    @property
    def port(self) -> int:
        """Where it listens."""
        found = re.search(r"port\s+(\d+)", self.screen)
        assert found is not None
        return int(found[1])


@contextlib.contextmanager
def staying_up(tmp_path: Path, *, terminal: bool = False, **more: str) -> Iterator[Running]:
    """A demo that has shown its mails and waits for others."""
    screen, writing = pty.openpty() if terminal else os.pipe()
    process = subprocess.Popen(
        DEMO, env=environment(tmp_path, COLUMNS="80", **more), cwd=tmp_path, stdout=writing, stderr=writing
    )
    os.close(writing)
    try:
        running = Running(process, screen)
        running.shows("Ctrl-C ends the demo")
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(20)
        os.close(screen)


def test_needs_python_311_or_newer_only() -> None:
    """The demo imports nothing that the plain installation lacks."""
    imported = subprocess.run(
        [sys.executable, "-c", "import sys, mailrouter.cli.demo; print(*sys.modules)"],
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    ).stdout.split()
    assert not {"pytest", "hypothesis", "aiosmtplib", "rich", "dkim"}.intersection(imported)


@pytest.mark.parametrize("columns", [80, 40])
def test_once_shows_everything_within_the_columns(tmp_path: Path, columns: int) -> None:
    """One run names every piece, keeps within the window, writes no colour into a file, and leaves nothing."""
    done = run(tmp_path, "--once", COLUMNS=str(columns))
    assert (done.returncode, done.stderr) == (0, "")
    too_wide = [line for line in done.stdout.splitlines() if cells(line) > columns]
    assert not [line for line in too_wide if " " in line.strip("│┌├└─ ")], too_wide
    assert "\x1b" not in done.stdout
    text = " ".join(re.sub(r"[│┌├└─═>]", " ", done.stdout).split())
    for piece in (
        *(f"{n} of 5: {scene.title}" for n, scene in enumerate(scenes(NOON), 1)),
        "Jane Doe writes",
        "Laurie (in) and Elaine (not in) get one mail with 3 parts: 1. the original, every byte as it was sent",
        "2. a note: VP Human Resources",
        "Laurie covers.",
        "3. the handoff, attached as Handoff vp-hr",
        "Sam Park has our offer",
        "Mail 1: the mail as it came, every byte as it was sent. Mail 2: a message from the relay, beside it:",
        "it is signed, and a changed copy could look tampered with",
        "get the mail as it came, every byte as it was sent.",
        "gets no answer, because - Laurie is in",
        "Jane Doe is answered",
        "Auto: New shelves",
        "nobody is in for the rest of today and the next working day",
        "Laurie and Elaine both get a copy, on duty or not",
    ):
        assert piece in text
    assert not list((tmp_path / "tmp").iterdir())


def test_once_is_readable_where_there_is_only_ascii(tmp_path: Path) -> None:
    """On a terminal without line-drawing letters the cards are drawn with ASCII."""
    done = run(tmp_path, "--once", COLUMNS="80", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "+- Jane Doe writes ---" in done.stdout
    asked = {word for word in done.stdout.split() if "?" in word}
    assert asked == {"trainer?", "courses?", "tomorrow?"}


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_ends_cleanly(tmp_path: Path, name: str) -> None:
    """Ctrl-C, like an end asked for otherwise, ends it with 0, and its folder is gone."""
    with staying_up(tmp_path) as demo:
        assert len(list((tmp_path / "tmp").iterdir())) == 1
        demo.process.send_signal(getattr(signal, name))
        assert demo.ended() == 0
    assert re.search(r"The demo has ended; its folder\s+\S+/mailrouter-demo-\S+\s+is\s+removed", demo.screen)
    assert "Traceback" not in demo.screen
    assert not list((tmp_path / "tmp").iterdir())


def test_shows_each_mail_that_passes(tmp_path: Path) -> None:
    """A mail sent to the address it names is shown with what became of it; a sender is answered once."""
    with staying_up(tmp_path) as demo:
        with smtplib.SMTP("127.0.0.1", demo.port, timeout=20) as relay:
            relay.send_message(_mail("vp-hr@example.test", "Kündigung", "Good\x1b[31m bye\x9b31m"))
            demo.shows("Kündigung.*Laurie \\(in\\) and Elaine.*└")
            relay.send_message(_mail("office@example.test", "First", "Anyone?"))
            demo.shows("First.*max@example.test is answered.*└")
            relay.send_message(_mail("office@example.test", "Second", "Still there?"))
            demo.shows("Second.*max@example.test is not answered again.*└")
            handed = _mail("vp-hr+handoff@example.test", "Handing over", "Left:\n- the keys\n")
            handed.replace_header("From", "Laurie Cremona <laurie@example.test>")
            relay.send_message(handed)
            shown = demo.shows("Handing over.*Laurie Cremona writes.*Please confirm.*- the keys.*└")
            assert "gets no answer" not in shown.rpartition("Handing over")[2]
            assert "answer this message with one word: yes. Then it is the new handoff" in " ".join(
                shown.replace("│       >", "").split()
            )
            assert not re.search(r"> (\S+ ?){1,2}\n│ +> \w", shown.rpartition("Handing over")[2]), "ragged"
        demo.process.send_signal(signal.SIGINT)
        assert demo.ended() == 0
    assert "\x1b" not in demo.screen
    assert "\x9b" not in demo.screen


def test_the_command_to_paste_works(tmp_path: Path) -> None:
    """What it offers to paste into another terminal sends a mail that is then shown."""
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    with staying_up(tmp_path, PATH=str(python.parent)) as demo:
        script = re.search(r"^python3 .*?^END$", demo.screen, re.S | re.M)
        assert script is not None
        shell = {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
        subprocess.run(["sh", "-c", script[0]], check=True, timeout=30, env=os.environ | shell)
        demo.shows("you@example.test writes.*It works!.*└")


@pytest.mark.parametrize("swaks", [True, False])
def test_a_question_can_be_answered_by_pasting_a_command(tmp_path: Path, swaks: bool) -> None:
    """Somebody tries handing over by mail: what would say yes is there, and then both partners are told."""
    if swaks and not shutil.which("swaks"):
        pytest.skip("swaks (Debian's swaks) is not installed")
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    path = os.environ["PATH"] if swaks else str(python.parent)
    with staying_up(tmp_path, PATH=path) as demo:
        with smtplib.SMTP("127.0.0.1", demo.port, timeout=20) as relay:
            handed = _mail("vp-hr+handoff@example.test", "Handing over", "Left:\n- the keys\n")
            handed.replace_header("From", "Laurie Cremona <laurie@example.test>")
            relay.send_message(handed)
        demo.shows("To say yes in place of laurie@example.test, paste this:.*yes.*\n")
        pasted = demo.screen.rpartition("paste this:")[2]
        if not swaks:
            demo.shows("paste this:\\s+python3 [^$]*yes[^$]*\nEND\n")
            pasted = demo.screen.rpartition("paste this:")[2]
        shell = {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
        subprocess.run(["sh", "-c", pasted], check=True, timeout=30, env=os.environ | shell)
        demo.shows("Laurie and Elaine get.*Handoff for VP Human Resources by Laurie.*└")


@pytest.mark.parametrize("no_color", ["", "1"])
def test_colour_is_for_terminals_that_want_it(tmp_path: Path, no_color: str) -> None:
    """On a terminal there is colour, unless NO_COLOR is set; then the words are the same without."""
    with staying_up(tmp_path, terminal=True, TERM="xterm", NO_COLOR=no_color) as demo:
        assert ("\x1b[" in demo.screen) is not bool(no_color)
        assert "Laurie (in) and Elaine (not in) get" in demo.screen


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    """A port that another program has is named with a way out, and nothing is left behind."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run(tmp_path, "--once", "--port", str(port))
    assert done.returncode == 1
    assert f"can't listen on port {port} of 127.0.0.1: another program uses it" in done.stderr
    assert "Without --port a free one is found" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "tmp").iterdir())


def test_an_impossible_port_is_wrong_use(tmp_path: Path) -> None:
    """A number that can't be a port is wrong use."""
    assert main(["demo", "--once", "--port", "70000"]) == 2


def test_keeps_a_folder_to_go_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--keep leaves a configuration that check accepts, and the mails: the signed one's signature holds."""
    kept = tmp_path / "kept"
    done = run(tmp_path, "--once", "--keep", str(kept))
    assert done.returncode == 0
    assert "serve" in done.stdout.partition("Everything is kept in")[2]
    assert main(["check", "--config", str(kept / "config")]) == 0
    mails = {person.name: list((person / "new").iterdir()) for person in (kept / "var/mail").iterdir()}
    counts = {name: len(found) for name, found in mails.items()}
    both = {"laurie@example.test": 5, "elaine@example.test": 5}  # four copies and one companion
    assert counts == both | {"ben@example.test": 1, "mia@example.test": 1, "jane@example.test": 1}
    assert "New shelves" not in (kept / "relay.log").read_text()
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to verify the signature")
    signed = next(path for path in mails["elaine@example.test"] if b"multipart/signed" in path.read_bytes())
    verify = ["openssl", "cms", "-verify", "-noverify", "-in", str(signed)]
    assert b"rely on every word" in subprocess.run(verify, check=True, capture_output=True).stdout


def test_never_writes_into_a_folder_in_use(tmp_path: Path) -> None:
    """A folder that holds something is refused and left as it is."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("dear")
    done = run(tmp_path, "--once", "--keep", "mine")
    assert done.returncode == 2
    assert "mine is not empty" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter"]


@given(st.text(max_size=120), st.integers(8, 90))
def test_wrapping_loses_nothing_and_keeps_the_width(text: str, width: int) -> None:
    """Wrapped lines hold the same letters in order, none wider than asked unless it is one word."""
    lines = wrap(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cells(line) <= width or len(line.split()) == 1 for line in lines)


@given(st.text(max_size=80))
def test_nothing_steers_the_terminal(text: str) -> None:
    """Whatever a mail holds, what is shown of it are printable letters on one line."""
    assert harmless(text).isprintable()


@given(st.lists(st.text(max_size=60), max_size=4), st.integers(24, 100), st.booleans())
def test_cards_have_one_width(texts: list[str], columns: int, colour: bool) -> None:
    """A card's rules end at the window's last column, and colour changes nothing but colour."""
    card = Card("Somebody writes", "sends", [Line(harmless(text), "> ", quoted=True) for text in texts])
    plain = Paper(columns).cards([card])
    width = Paper(columns).width
    assert {cells(plain[0]), cells(plain[-1])} == {width}
    coloured = "\n".join(Paper(columns, colour).cards([card]))
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == "\n".join(plain)


def test_a_command_stays_one_command() -> None:
    """A command broken over lines is the same command to a shell."""
    words = ["mailrouter", "handoff", "show", "vp-hr", "--config '/tmp/a long name/config'"]
    for columns in (24, 40, 80):
        text = "\n".join(Paper(columns).command(["printf '%s|'", *words], "  "))
        said = subprocess.run(["sh", "-c", text], capture_output=True, encoding="utf-8", check=True).stdout
        assert said == "mailrouter|handoff|show|vp-hr|--config|/tmp/a long name/config|"


def test_reads_what_is_in_a_mail() -> None:
    """HTML alone is shown as words, without scripts; what else is in a mail is named."""
    mail = EmailMessage()
    mail.set_content("<style>b{}</style><p>Dear <b>Laurie</b></p><script>x()</script>bye", subtype="html")
    mail.add_attachment(b"PDF", maintype="application", subtype="pdf", filename="offer.pdf")
    found = part(mail.as_bytes().replace(b"\n", b"\r\n"))
    assert found.text.split() == ["Dear", "Laurie", "bye"]
    assert found.also == ("formatted text", "offer.pdf")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b'Content-Type: multipart/mixed; boundary="=_x"\r\n\r\n',
        b"Content-Type: text/plain; charset=nonsense\r\nContent-Transfer-Encoding: base64\r\n\r\n=?=\xff",
        b"Content-Disposition: \xff\xfe\r\n\r\n\x00",
    ],
)
def test_reads_broken_mail_without_complaint(raw: bytes) -> None:
    """Mail that is hardly one is still shown as something."""
    assert isinstance(part(raw).text, str)
    assert all(isinstance(found.text, str) for found in parts(raw))


def _mail(to: str, subject: str, text: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "max@example.test"
    mail["To"] = to
    mail["Subject"] = subject
    mail.set_content(text)
    return mail


def test_the_relays_own_text_is_put_together_again() -> None:
    """Paragraphs that were broken for sending, and nothing else: no items, no lines that were lines before."""
    paragraph = "a word " * 30 + "end."
    text = f"Subject: x\nCame from: y\n\n{paragraph}\n\nDone\n- {'w' * 60}\n- two\n\nElaine is away.\nLaurie covers.\n"
    assert reflowed(tidy(text)).split("\n") == text.split("\n")
