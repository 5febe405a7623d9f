"""Mail without a pause: copies with notes, large ones, partners' own, answers to senders, handoffs."""

from __future__ import annotations

import random
import smtplib
import threading
from datetime import date, timedelta
from pathlib import Path

from mailrouter.errors import MailrouterError
from mailrouter.service.control import ask
from tests.support.examples import by_extent
from tests.support.relay import PARTNERS, ROLE_FILE, write_configuration
from tests.torture.ledger import Ledger, Place, body

LAURIE, ELAINE = PARTNERS
ROLES = 6
ANSWERS_A_ROLE = 150
"""Below the caps of automatic replies: 200 a day for a role, 1000 for all."""
RETRY = by_extent("retry: {first: 3 s, most: 10 s}\n", "")
"""A short run does not wait two minutes for a second try."""
PROOF = "Authentication-Results: mail.example.test; dmarc=pass header.from=example.test\r\n"


def role(number: int) -> str:
    """A role's address."""
    return f"vp-{number}@example.test"


def configure(folder: Path, port: int, next_hop: int) -> Path:
    """Six roles of the two partners, both away, so that every sender outside is owed an answer.

    They are away for ten days: for years, the first mail of each role would wait after each start until the next duty
    had been looked for over 400 days, and most of a round would pass with that.
    """
    first, last = date.today() - timedelta(days=3), date.today() + timedelta(days=10)
    away = "".join(f"  - {{partner: {who}, from: {first}, until: {last}}}\n" for who in ("laurie", "elaine"))
    settings_lines = f"authserv_id: mail.example.test\n{RETRY}"
    config = write_configuration(folder, f"smtp://127.0.0.1:{next_hop}", settings=settings_lines)
    settings = config / "mailrouter.yaml"
    settings.write_text(settings.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    (config / "roles" / "vp-hr.yaml").unlink()
    for number in range(ROLES):
        text = ROLE_FILE.replace("vp-hr@example.test", role(number)) + "absences:\n" + away
        (config / "roles" / f"vp-{number}.yaml").write_text(text)
    return config


class Load:
    """Threads that send until they are stopped; each try has a mark of its own."""

    def __init__(
        self,
        ledger: Ledger,
        port: int,
        socket: Path,
        seed: int,
        senders: int = 8,
        pause: float = 0.06,
        large: float = 0.04,
        first: int = 0,
        answers: int = ROLES * ANSWERS_A_ROLE,
    ) -> None:
        self._ledger = ledger
        self._port = port
        self._socket = socket
        self._pause = pause
        self._large = large
        self._number = first
        self._answers = 0
        self._most_answers = answers
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(random.Random(seed + n),)) for n in range(senders)
        ]
        self._threads.append(threading.Thread(target=self._command, args=(random.Random(seed - 1),)))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send no more; returns when the last answer was heard."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "a sender hangs"

    def _next(self) -> int:
        with self._ledger.lock:
            self._number += 1
            return self._number

    def _send(self, chance: random.Random) -> None:
        client: smtplib.SMTP | None = None
        while not self._stop.is_set():
            number = self._next()
            kind = chance.choices(
                ["copy", "large", "partner", "answer", "handoff"],
                [1 - self._large, self._large, 0.1, 0.05, 0.06],
            )[0]
            if kind == "answer":
                kind = "answer" if self._answers < self._most_answers else "copy"
                self._answers += kind == "answer"
            attempt = 0
            # The same mail again until it is taken, as a mail server would.
            while not self._stop.is_set():
                attempt += 1
                sender, recipient, content, wanted, handoff = self._mail(
                    kind, number, f"{number}.{attempt}", chance
                )
                try:
                    if client is None:
                        client = smtplib.SMTP("127.0.0.1", self._port, timeout=20)
                    client.sendmail(sender, [recipient], content)
                except (OSError, smtplib.SMTPException):
                    if client is not None:
                        client.close()
                    client = None
                    self._stop.wait(0.05)
                    continue
                self._ledger.accept(*wanted, handoff=handoff)
                break
            self._stop.wait(chance.uniform(0, 2 * self._pause))
        if client is not None:
            client.close()

    def _mail(
        self, kind: str, number: int, mark: str, chance: random.Random
    ) -> tuple[str, str, bytes, list[Place], str]:
        to = role(number % ROLES)
        if kind == "handoff":
            to = to.replace("@", "+handoff@")
            text = f"Done:\r\n- the budget\r\n\r\nLeft:\r\n- call Jim about {mark}!\r\n"
            head = f"{PROOF}From: {LAURIE}\r\nTo: {to}\r\nSubject: Over\r\nMessage-ID: <{mark}@torture.test>\r\n\r\n"
            wanted = [(f"answer to {mark}", partner) for partner in PARTNERS]
            return LAURIE, to, (head + text).encode(), wanted, mark
        sender, wanted = "jane@outside.test", [(mark, LAURIE), (mark, ELAINE)]
        if kind == "partner":
            sender, wanted = LAURIE, [(mark, ELAINE)]
        elif kind == "answer":
            sender = f"sue@s{number}.test"
            wanted.append(("a reply", sender))
            to = role(self._answers % ROLES)
        octets = chance.randint(300_000, 1_500_000) if kind == "large" else chance.randint(200, 8000)
        self._ledger.sizes[mark] = octets
        head = (
            f"X-Try: {mark}\r\nFrom: {sender}\r\nTo: {to}\r\nSubject: {kind} {mark}\r\n"
            f"Message-ID: <{mark}@torture.test>\r\n\r\n"
        )
        return sender, to, head.encode() + body(mark, octets), wanted, ""

    def _command(self, chance: random.Random) -> None:
        """Handoffs by the command's way: a request on the control socket."""
        while not self._stop.wait(chance.uniform(0.1, 0.5)):
            mark = f"{self._next()}.c"
            request = {"do": "handoff", "role": f"vp-{chance.randrange(ROLES)}", "author": "laurie",
                       "text": f"Done:\n- call Jim about {mark}!\n"}  # fmt: skip
            try:
                if ask(self._socket, request) is not None:
                    self._ledger.accept(handoff=mark)
            except MailrouterError:
                continue
