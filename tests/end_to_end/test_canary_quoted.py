"""A next server that quotes the handoffs it saw, in whatever form: nobody hears more of its words than the codes."""

from __future__ import annotations

import asyncio
import base64
import html
import itertools
import quopri
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailrouter.clock import now_ms
from mailrouter.intake.feedback.hop_recovery import SHORTEST
from mailrouter.moments import DAY_MS
from mailrouter.store.model import FailingMailbox
from mailrouter.store.sqlite.store import SqliteStore
from tests.end_to_end.test_bounces import bounce
from tests.end_to_end.test_canary import mail, views
from tests.support.examples import chosen
from tests.support.misbehaving import Script, Standing, standing
from tests.support.ports import free_port
from tests.support.programs import mailrouter
from tests.support.relay import ONE_AWAY, ROLE, ROLE_FILE, Relay, relay, wait_until, write_configuration
from tests.support.sending import queue_id, send

JANE, IT, OFFICE = "jane@outside.test", "it@example.test", "office@example.test"
LAURIE, ELAINE, CARMEN = "laurie@example.test", "elaine@example.test", "carmen@example.test"
INSIDERS = (LAURIE, ELAINE, CARMEN)
OLDER, NEWER = "zebraquartz wexford zqx", "vermilionyak jackdaw qjv"
RETRY = "retry: {first: 0.1 s, most: 0.2 s, delay_notice: 0.4 s, give_up: 3 s}\n"


def altered(text: str) -> Iterator[str]:
    """A quotation of the text, as filters and servers disfigure what they found."""
    words = text.split()
    yield from (text, text.upper(), "_".join(words), "-".join(words).title(), *words)
    yield "".join(f'{word[:3]}"{word[3:]}"' for word in words)
    yield "".join(f"={ord(letter):02X}" for letter in text)
    yield quopri.encodestring(text.encode() + "é".encode()).decode().strip()
    yield base64.b64encode(text.encode()).decode()
    yield html.escape(text).replace("e", "&#101;")
    yield "".join(f"&#x{ord(letter):x};" for letter in text)
    yield ".".join(text.replace(" ", ""))


QUOTATIONS = [form for text in (OLDER, NEWER) for form in altered(text)]


def configuration(folder: Path, hop: Standing, web: int) -> Path:
    """Two roles that share a partner, each with a handoff; Laurie's mailbox has been failing for two days."""
    settings = f'web: "127.0.0.1:{web}"\n{RETRY}'
    config = write_configuration(folder, f"smtp://127.0.0.1:{hop.server.port}", ONE_AWAY, settings)
    office = ROLE_FILE.replace("vp-hr@", "office@").replace("VP Human Resources", "Office")
    office = office.replace("elaine", "carmen").replace("Elaine", "Carmen")
    (config / "roles" / "office.yaml").write_text(office)

    async def keep() -> None:
        store = SqliteStore.open(folder / "var" / "mailrouter.db")
        since = now_ms() - 2 * DAY_MS
        await store.keep_failing(FailingMailbox(LAURIE, since, since + DAY_MS // 2, "450"))
        store.close()

    asyncio.run(keep())
    return config


def hand_over(running: Relay, role: str, words: str) -> None:
    """By the command, while the service runs."""
    command = ("handoff", "set", role, "--author", "laurie", "--config", str(running.config))
    mailrouter(*command, given=f"Left:\n- {words}\n").check_returncode()


def told_outside(running: Relay, hop: Standing, web: int, queue: str) -> dict[str, str]:
    """Everything that anybody but a partner can read, by where."""
    found = {"log": running.log.read_text()}
    for command in (
        ("queue", "list"),
        ("queue", "list", "--json"),
        ("queue", "list", "--state", "failed"),
        ("queue", "show", queue),
        ("queue", "show", queue, "--json"),
        ("trace", queue),
        ("trace", queue, "--json"),
        ("check", "--live"),
        ("check", "--live", "--json"),
    ):
        done = mailrouter(*command, "--config", str(running.config))
        found[" ".join(command)] = done.stdout + done.stderr
    with urllib.request.urlopen(f"http://127.0.0.1:{web}/metrics", timeout=20) as page:
        found["metrics"] = page.read().decode()
    for n, one in enumerate(list(hop.server.received)):
        if not set(one.recipients) & set(INSIDERS):
            found[f"mail {n} to {one.recipients}"] = views(one.content).decode("utf-8", "replace")
    return found


def quoted_in(found: dict[str, str]) -> list[tuple[str, str]]:
    """Each place in which a quotation, or one of the words, stands."""
    words = re.compile("|".join(rf"\b{re.escape(w)}\b" for w in f"{OLDER} {NEWER}".split()), re.I)
    return [
        (where, form)
        for where, text in found.items()
        for form in (*(q for q in QUOTATIONS if len(q) > 3 and q in text), *words.findall(text))
    ]


def sent_to(hop: Standing, *who: str) -> list[bytes]:
    """What the next server took for these."""
    return [one.content for one in list(hop.server.received) if set(one.recipients) & set(who)]


def quoting(code: str) -> Callable[[str], str | None]:
    """Whatever goes to a partner is answered with this code and the next of the quotations."""
    forms = itertools.cycle(QUOTATIONS)
    return lambda line: f"{code} found {next(forms)}" if any(one in line for one in INSIDERS) else None


def mails() -> list[tuple[str, str, bytes]]:
    """One to both roles, and one to the first."""
    both = f"From: {JANE}\nTo: {ROLE}, {OFFICE}\nSubject: Budget\nMessage-ID: <1@outside.test>"
    one = f"From: {JANE}\nTo: {ROLE}\nSubject: Holidays\nMessage-ID: <2@outside.test>"
    return [(JANE, ROLE, mail(both)), (JANE, OFFICE, mail(both)), (JANE, ROLE, mail(one))]


@pytest.mark.parametrize(
    ("state", "code"),
    chosen(
        [
            ("dot", "450 4.7.1"),
            ("rcpt", "554 5.7.1"),
            ("rcpt", "451"),
            ("dot", "550"),
            ("rcpt", "450 4.7.1"),
            ("dot", "554 5.7.1"),
            ("dot", "451"),
            ("rcpt", "550"),
        ],
        *range(4),
    ),
)
def test_a_server_that_quotes_the_handoffs_is_repeated_to_nobody(
    tmp_path: Path, state: str, code: str
) -> None:
    """Put off until the time is over or refused at once, before the content or after it."""
    web = free_port()
    with standing(Script({state: quoting(code)})) as hop:
        config = configuration(tmp_path, hop, web)
        with relay(config) as running:
            hand_over(running, "office", OLDER)
            hand_over(running, "vp-hr", NEWER)
            replies = send(running.port, mails(), connections=1)
            queue = queue_id(replies[0])
            # A mail that is refused for policy is reported to nobody for whom nothing speaks.
            if (state, code) != ("dot", "554 5.7.1"):
                wait_until(lambda: len(sent_to(hop, JANE)) >= 3, what="the reports")
            wait_until(lambda: sent_to(hop, IT), what="an alert")
            found = told_outside(running, hop, web, queue)
            assert len(found) > 12
    assert quoted_in(found) == []
    told = " ".join(b" ".join(map(views, sent_to(hop, IT))).decode().split())
    assert code in told, "the server's codes are told"
    assert code in " ".join(found[f"trace {queue}"].split())


@pytest.mark.parametrize("state", ["connect", "ehlo"])
def test_a_greeting_that_quotes_them_is_repeated_to_nobody(tmp_path: Path, state: str) -> None:
    """The server saw both handoffs, then refuses us until the time of the next mails is over: what is told of these, to
    their senders, to IT, in the log and in their traces, has its codes alone."""
    web, forms = free_port(), itertools.cycle(QUOTATIONS)
    with standing(Script()) as hop:
        config = configuration(tmp_path, hop, web)
        with relay(config) as running:
            hand_over(running, "office", OLDER)
            hand_over(running, "vp-hr", NEWER)
            send(running.port, mails(), connections=1)
            wait_until(lambda: len(sent_to(hop, *INSIDERS)) >= 6, what="the copies")
            refused_at = time.monotonic()
            hop.behave(Script({state: lambda line: f"421 4.3.2 found {next(forms)}"}))
            replies = send(running.port, mails(), connections=1)
            queue = queue_id(replies[0])
            live = ("check", "--live", "--config", str(running.config))
            wait_until(lambda: "421 4.3.2" in mailrouter(*live).stdout, what="the trouble")
            assert quoted_in({"check --live": mailrouter(*live).stdout}) == []
            failed = ("queue", "list", "--state", "failed", "--config", str(running.config))
            wait_until(lambda: queue in mailrouter(*failed).stdout, what="the end of its time")
            wait_until(
                lambda: time.monotonic() > refused_at + SHORTEST + 1, what="a trouble of which IT hears"
            )
            hop.behave()
            wait_until(lambda: len(sent_to(hop, JANE)) >= 3, what="the reports")
            again = b"The next mail server takes mail again"
            wait_until(lambda: any(again in one for one in sent_to(hop, IT)), what="the end, told to IT")
            found = told_outside(running, hop, web, queue)
    assert quoted_in(found) == []
    assert "421 4.3.2" in " ".join(found[f"trace {queue}"].split())
    assert "421 4.3.2 (it takes no mail now)" in found["log"]


@pytest.mark.parametrize("state", ["mail", "data"])
def test_a_server_that_quotes_them_to_every_mail_is_repeated_to_nobody(tmp_path: Path, state: str) -> None:
    """It names nobody, and so the server itself is in trouble: nor is that told in its words."""
    web, forms = free_port(), itertools.cycle(QUOTATIONS)
    with standing(Script({state: lambda line: f"451 4.3.0 found {next(forms)}"})) as hop:
        config = configuration(tmp_path, hop, web)
        with relay(config) as running:
            hand_over(running, "office", OLDER)
            hand_over(running, "vp-hr", NEWER)
            replies = send(running.port, mails(), connections=1)
            wait_until(lambda: "4.3.0" in running.log.read_text(), what="an answer")
            wait_until(lambda: "can't be used" in running.log.read_text(), what="the pause")
            found = told_outside(running, hop, web, queue_id(replies[0]))
    assert quoted_in(found) == []
    assert "451 4.3.0" in found["check --live"]


def test_a_bounce_that_quotes_the_handoffs_is_repeated_to_nobody(tmp_path: Path) -> None:
    """Taken, and returned later by a server behind it: in fields, in words, and in the copy that it returns."""
    web = free_port()
    with standing(Script()) as hop:
        config = configuration(tmp_path, hop, web)
        with relay(config) as running:
            hand_over(running, "office", OLDER)
            hand_over(running, "vp-hr", NEWER)
            replies = send(running.port, mails()[::2], connections=1)
            wait_until(lambda: len(sent_to(hop, *INSIDERS)) >= 4, what="the copies")
            copies = [one for one in hop.server.received if set(one.recipients) & set(INSIDERS)]
            forms = itertools.cycle(QUOTATIONS)
            back: list[tuple[str, str, bytes]] = []
            for copy in copies:
                path = re.search(r"<(\S+)>", copy.mail)[1]  # type: ignore[index]
                words = f"550 5.7.1 found {next(forms)}"
                report = bounce(path, copy.recipients[0], copy.content, words)
                by_words = mail(
                    f"From: MAILER-DAEMON@mx7.example.test\nTo: {path}\nSubject: failure notice",
                    f"I could not deliver your mail.\r\n550 5.1.1 {next(forms)} unknown\r\n\r\n--- Below\r\n",
                )
                back.append(("", path, report if len(back) % 2 else by_words))
            assert all(reply.startswith("250") for reply in send(running.port, back, connections=1))
            wait_until(lambda: len(sent_to(hop, JANE)) >= 2, what="the reports")
            wait_until(lambda: sent_to(hop, IT), what="an alert")
            found = told_outside(running, hop, web, queue_id(replies[0]))
    assert quoted_in(found) == []
    assert "550 5.1.1" in found[f"trace {queue_id(replies[0])}"]
