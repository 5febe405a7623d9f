"""Metrics and health of a real service: what is counted, what is said when something is wrong, and no secrets."""

from __future__ import annotations

import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.correspondence import set_handoff
from tests.support.documents import text
from tests.support.ports import free_port
from tests.support.relay import (
    BOTH_AWAY,
    PARTNERS,
    ROLE,
    Relay,
    maildir,
    relay,
    wait_until,
    write_configuration,
)
from tests.support.sending import send

MAIL = f"From: jane@outside.test\r\nTo: {ROLE}\r\nSubject: the-subject\r\n\r\nhello\r\n".encode()


@dataclass
class Watched:
    """A running relay with its pages."""

    folder: Path
    relay: Relay
    web: int

    def page(self, path: str) -> tuple[int, str]:
        """Status and body."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web}{path}", timeout=15) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def samples(self) -> dict[tuple[str, ...], float]:
        """Every sample by its name and its labels' values, read as Prometheus would."""
        found = {}
        for family in text_string_to_metric_families(self.page("/metrics")[1]):
            for sample in family.samples:
                found[(sample.name.removeprefix("mailrouter_"), *sample.labels.values())] = sample.value
        return found


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """A relay that answers senders, with a handoff."""
    web = free_port()
    config = write_configuration(tmp_path, role=BOTH_AWAY, settings=f'web: "127.0.0.1:{web}"\n')
    with relay(config) as running:
        set_handoff(config)
        yield Watched(tmp_path, running, web)


def test_what_happened_is_counted(watched: Watched) -> None:
    """Accepted, refused by code, deliveries by kind and outcome, sessions, commits, handoffs; and the queue is empty."""
    for _ in range(3):
        assert send(watched.relay.port, [("jane@outside.test", ROLE, MAIL)])[0].startswith("250")
    assert send(watched.relay.port, [("jane@outside.test", "nobody@example.test", MAIL)])[0].startswith("550")
    wait_until(lambda: watched.samples()["queue", "queued"] == 0, what="the queue to empty")
    found = watched.samples()
    assert found["messages_accepted_total",] == 3
    assert found["octets_accepted_total",] == 3 * len(MAIL)
    assert found["refusals_total", "550"] == 1
    assert found["delivery_attempts_total", "copy", "delivered"] == 6
    assert found["delivery_attempts_total", "reply", "delivered"] == 1
    assert found["delivery_seconds_count",] == found["delivery_seconds_bucket", "+Inf"] == 7
    assert found["sessions_total",] >= 4
    assert found["store_commit_seconds_count",] >= 4
    assert found["handoffs_total",] == 1
    assert found["handoff_written_timestamp_seconds", "vp-hr"] > 1_700_000_000
    assert found["next_hop_trouble",] == 0
    assert found["store_free_bytes",] > 0
    assert found["process_resident_memory_bytes",] > 1_000_000
    assert all(maildir(watched.folder, partner) for partner in PARTNERS)


def test_the_page_holds_no_address_and_no_subject(watched: Watched) -> None:
    """Labels are codes, kinds, outcomes and role keys; nothing of a mail is among them."""
    send(watched.relay.port, [("jane@outside.test", ROLE, MAIL)])
    send(watched.relay.port, [("jane@outside.test", "nobody@example.test", MAIL)])
    status, page = watched.page("/metrics")
    assert status == 200
    for secret in ("@", "outside.test", "the-subject", "jane", "laurie", "call Jim"):
        assert secret not in page, secret


def promtool() -> str | None:
    """Prometheus' own checker: the machine's, or the one that .ci/run unpacks."""
    return shutil.which("promtool") or shutil.which(
        Path(__file__).parents[2] / ".peers" / "usr" / "bin" / "promtool"
    )


@pytest.mark.skipif(promtool() is None, reason="promtool is not here (Debian: apt-get install prometheus)")
def test_prometheus_itself_has_nothing_to_say(watched: Watched, tmp_path: Path) -> None:
    """Its own checker takes the page, and the files of docs/monitoring.md."""
    program = str(promtool())
    send(watched.relay.port, [("jane@outside.test", ROLE, MAIL)])
    checked = subprocess.run(
        [program, "check", "metrics"], input=watched.page("/metrics")[1], capture_output=True, text=True
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    *_, scrape, rules = re.findall(r"```yaml\n(.*?)```", text("monitoring.md"), re.DOTALL)
    for words, content in ((["check", "config", "--syntax-only"], scrape), (["check", "rules"], rules)):
        (tmp_path / "file.yml").write_text(content)
        done = subprocess.run([program, *words, str(tmp_path / "file.yml")], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_service_that_works_is_alive_and_ready(watched: Watched) -> None:
    """200, 200."""
    assert watched.page("/healthz") == (200, "alive\n")
    assert watched.page("/readyz") == (200, "ready\n")


def test_a_store_that_was_taken_away_is_told_and_mail_is_refused(watched: Watched) -> None:
    """The database is moved: 451 and 503 with words; moved back, all is well without a restart."""
    database = watched.folder / "var" / "mailrouter.db"
    aside = database.with_suffix(".aside")
    database.rename(aside)
    assert send(watched.relay.port, [("jane@outside.test", ROLE, MAIL)])[0].startswith("451 4.3.0")
    status, said = watched.page("/readyz")
    assert status == 503
    assert "No mail can be taken." in said
    assert "was taken away" in said
    assert watched.page("/healthz")[0] == 200
    assert watched.page("/metrics")[0] == 200
    aside.rename(database)
    wait_until(lambda: watched.page("/readyz") == (200, "ready\n"), what="ready again")
    assert send(watched.relay.port, [("jane@outside.test", ROLE, MAIL)])[0].startswith("250")


def test_another_database_in_its_place_is_not_written(watched: Watched) -> None:
    """A restored copy under a running service is refused, and not a word goes into it."""
    database = watched.folder / "var" / "mailrouter.db"
    database.rename(database.with_suffix(".aside"))
    database.write_bytes(database.with_suffix(".aside").read_bytes())
    before = database.read_bytes()
    assert send(watched.relay.port, [("jane@outside.test", ROLE, MAIL)])[0].startswith("451 4.3.0")
    assert "until the service was restarted" in watched.page("/readyz")[1].replace("\n", " ")
    assert database.read_bytes() == before


def test_a_trouble_at_the_next_hop_is_seen(tmp_path: Path) -> None:
    """With a next hop that is down: queued, oldest, trouble 1; it still takes mail, so it is ready."""
    web = free_port()
    config = write_configuration(
        tmp_path, f"smtp://127.0.0.1:{free_port()}", settings=f'web: "127.0.0.1:{web}"\n'
    )
    with relay(config) as running:
        watched = Watched(tmp_path, running, web)
        send(running.port, [("jane@outside.test", ROLE, MAIL)])
        wait_until(lambda: watched.samples()["next_hop_trouble",] == 1, what="the trouble")
        found = watched.samples()
        assert found["queue", "queued"] == 2
        assert found["queue", "held"] == 0
        assert found["queue_oldest_seconds",] > 0
        assert watched.page("/readyz")[0] == 200


def test_the_documentation_names_every_metric_and_no_other(watched: Watched) -> None:
    """The table of docs/monitoring.md, and the alarms below it, are of what is on the page."""
    send(watched.relay.port, [("jane@outside.test", "nobody@example.test", MAIL)])
    families = list(text_string_to_metric_families(watched.page("/metrics")[1]))
    ours = {
        family.name.removeprefix("mailrouter_") + ("_total" if family.type == "counter" else "")
        for family in families
        if family.name.startswith("mailrouter_")
    }
    said = text("monitoring.md")
    metrics = said.partition("## Metrics")[2].partition("## The log")[0]
    rows = [
        line.split("|")[1] for line in metrics.splitlines() if line.startswith("| `") and "/" not in line[:4]
    ]
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)(?:\{[a-z,]+\})?`", row)}
    assert named == ours
    used = set(
        re.findall(r"mailrouter_([a-z_]+)", said.partition("Alarms to begin with")[2].partition("## ")[0])
    )
    assert used <= ours
