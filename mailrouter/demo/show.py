"""The demo's course: start the relay, send the mails, show what became of each, then show what else comes."""

from __future__ import annotations

import asyncio
import errno
import logging
import shlex
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from mailrouter import config
from mailrouter.config import Configuration
from mailrouter.demo import folder as texts
from mailrouter.demo.cards import Cards, questions
from mailrouter.demo.mails import Scene, scenes, send
from mailrouter.demo.paper import Paper
from mailrouter.demo.passage import Mailboxes, Passage
from mailrouter.errors import MailrouterError
from mailrouter.service.control import ask
from mailrouter.service.wiring import Service
from mailrouter.store.ids import MessageId

log = logging.getLogger("mailrouter.demo")

HOST = "127.0.0.1"
PATIENCE = 30.0
"""Seconds until a mail of the demo must have come through."""
LOOK_EVERY = 0.1
"""Seconds between two looks into the Maildirs."""


@dataclass(frozen=True, slots=True)
class Screen:
    """The place where the demo is shown: ``paper`` gives the present width, ``say`` shows lines at once."""

    paper: Callable[[], Paper]
    say: Callable[[Sequence[str]], None]


class Show:
    """The demo in ``folder``, an empty one. ``program`` are the words that start mailrouter."""

    def __init__(self, folder: Path, zone: str, port: int, screen: Screen, program: Sequence[str]) -> None:
        self._folder = folder
        self._zone = zone
        self._port = port
        self._screen = screen
        self._program = program
        self._live = port

    async def run(self, once: bool) -> None:
        """All of it; with ``once`` only up to the last mail of ours. Raises MailrouterError."""
        self._screen.say(self._screen.paper().heading("mailrouter demo")[1:])
        self._prose(_WELCOME)
        today = datetime.now(ZoneInfo(self._zone)).date()
        configuration = config.load(texts.write(self._folder, today, self._zone, self._port))
        service = Service(configuration)
        try:
            await service.start()
        except MailrouterError as error:
            if isinstance(error.__cause__, OSError):
                raise MailrouterError(self._no_port(error.__cause__)) from error
            raise
        mailboxes = None
        try:
            mailboxes = Mailboxes(self._folder / "var/mail", configuration.settings.store)
            await self._play(service, mailboxes, Cards(configuration), once)
        finally:
            if mailboxes is not None:
                mailboxes.close()
            await service.stop()

    def _no_port(self, error: OSError) -> str:
        if error.errno == errno.EADDRINUSE:
            why = "another program uses it. Without --port a free one is found"
        else:
            why = f"{error.strerror or error}. Without --port one is found that works"
        return f"the relay can't listen on port {self._port} of {HOST}: {why}."

    async def _play(self, service: Service, mailboxes: Mailboxes, cards: Cards, once: bool) -> None:
        port = self._live = int(service.addresses[0].rpartition(":")[2])
        self._prose(f"The relay is up at {HOST}, port {port}. Elaine leaves a handoff, then the mails come.")
        await self._leave_handoff(service.configuration)
        show = scenes(datetime.now(UTC))
        for n, scene in enumerate(show, 1):
            await self._scene(scene, f"{n} of {len(show)}: {scene.title}", port, mailboxes, cards)
        if once:
            return
        self._screen.say(self._invitation(port))
        while True:
            for passage in await mailboxes.passed():
                self._screen.say(self._passed(passage, cards))
            await asyncio.sleep(LOOK_EVERY)

    async def _leave_handoff(self, configuration: Configuration) -> None:
        """By the running service's own socket, as ``mailrouter handoff set`` does it."""
        request = {"do": "handoff", "role": "vp-hr", "author": texts.HANDOFF_AUTHOR, "text": texts.HANDOFF}
        await asyncio.to_thread(ask, configuration.settings.run_folder / "mailrouter.sock", request)

    async def _scene(self, scene: Scene, title: str, port: int, mailboxes: Mailboxes, cards: Cards) -> None:
        paper = self._screen.paper()
        self._screen.say([*paper.heading(title), *paper.prose(scene.about), ""])
        raw = scene.raw(datetime.now(UTC))
        try:
            message = await asyncio.to_thread(send, scene, raw, HOST, port)
        except OSError as error:
            raise MailrouterError(f"A mail of the demo could not be sent: {error}.") from error
        passage = await self._awaited(message, mailboxes, cards)
        self._screen.say(cards.of(passage, self._screen.paper(), raw))

    async def _awaited(self, message: MessageId, mailboxes: Mailboxes, cards: Cards) -> Passage:
        """The passage of our mail; somebody else's that comes meanwhile is shown."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            ours = None
            for passage in await mailboxes.passed():
                if passage.message.id == message:
                    ours = passage
                else:
                    self._screen.say(self._passed(passage, cards))
            if ours is not None:
                return ours
            await asyncio.sleep(LOOK_EVERY)
        raise MailrouterError(
            f"A mail was taken, but not delivered within {PATIENCE:.0f} seconds; is {self._folder} full?"
        )

    def _passed(self, passage: Passage, cards: Cards) -> list[str]:
        paper = self._screen.paper()
        came = datetime.fromtimestamp(passage.message.received_at / 1000, ZoneInfo(self._zone))
        try:
            lines = [*paper.heading(f"{came:%H:%M:%S}  {cards.subject(passage)}"), *cards.of(passage, paper)]
            for partner, back in questions(passage):
                lines += ["", *paper.prose(f"To say yes in place of {partner}, paste this:"), ""]
                lines += self._ready_to_paste(paper, self._live, partner, back, "Re: Please confirm", "yes")
            return lines
        except Exception:
            # What strangers send may be anything; it was delivered, and the demo goes on.
            log.exception("a mail can't be shown")
            return paper.prose(f"A mail has passed at {came:%H:%M:%S} that can't be shown here.")

    def _invitation(self, port: int) -> list[str]:
        paper = self._screen.paper()
        lines = [
            *paper.heading("Now it is your turn"),
            *paper.prose(f"The relay stays up at {HOST}, port {port}; no password, no encryption."),
            "Write to",
            "",
            *paper.prose(f"  {texts.ROLE}"),
            *paper.prose("      Laurie is in, Elaine is away: both get it"),
            *paper.prose(f"  {texts.QUIET_ROLE}"),
            *paper.prose("      nobody is in: you are answered"),
            *paper.prose(f"  {texts.HANDOFF_ADDRESS}"),
            *paper.prose(f"      a handoff, if From is {texts.PARTNER}; whoever it is, is asked first"),
            "",
            *paper.prose("with a mail program, or paste this into another terminal:"),
            "",
            *self._ready_to_paste(paper, port, "you@example.test", texts.ROLE, "Hello", "It works!"),
            "",
            *paper.prose("What becomes of it is shown here. More to try there:"),
            "",
        ]
        where = f"--config {shlex.quote(str(self._folder / 'config'))}"
        for words in (
            ("schedule", "vp-hr"),
            ("handoff", "show", "vp-hr"),
            ("check",),
        ):
            lines += paper.command([*map(shlex.quote, self._program), *words, where], "  ")
        lines += ["", *paper.prose("The mails lie in"), *paper.prose(str(self._folder / "var/mail")), ""]
        return [*lines, *paper.prose("Ctrl-C ends the demo.")]

    def _ready_to_paste(
        self, paper: Paper, port: int, sender: str, to: str, subject: str, words: str
    ) -> list[str]:
        """A command that sends a mail; all of it are texts of ours that need no quoting but these."""
        if shutil.which("swaks"):
            where = [f"--server {HOST}:{port}", f"--from {sender}", f"--to {to}"]
            what = [f"--header 'Subject: {subject}'", f"--body '{words}'"]
            return paper.command(["swaks", *where, *what], "  ")
        facts = {"port": port, "host": HOST, "sender": sender, "to": to, "subject": subject, "words": words}
        return _PYTHON.format(**facts).splitlines()

    def _prose(self, text: str) -> None:
        paper = self._screen.paper()
        for paragraph in text.split("\n\n"):
            self._screen.say(["", *paper.prose(paragraph)])


_WELCOME = """\
Two people share one job. Laurie Cremona and Elaine Miller are the VP Human Resources together. Colleagues \
write to one address, vp-hr@example.test, and need not know who is in. Today Elaine is away, and Laurie covers.

All that follows is real: a mail relay starts in a folder of its own, and five mails go through it the way \
mail servers talk. No mail leaves this machine."""

# Short lines, so that none of them is broken in a narrow window.
_PYTHON = """\
python3 - <<'END'
import smtplib
s = smtplib.SMTP("{host}", {port})
s.sendmail("{sender}",
    "{to}", \"\"\"\\
From: {sender}
To: {to}
Subject: {subject}

{words}
\"\"\")
END
"""
