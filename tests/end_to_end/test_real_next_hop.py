"""A real Postfix as next hop, with a real Dovecot behind it: demands, refusals, full and missing mailboxes, stops.

At each step: what people see in ``check --live``, ``queue list``, ``/readyz`` and their mailboxes.
"""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support import dovecot, postfix
from tests.support.dovecot import Dovecot
from tests.support.ports import free_port
from tests.support.postfix import Postfix
from tests.support.programs import mailrouter
from tests.support.relay import ROLE, Relay, relay, wait_until, write_configuration
from tests.support.sending import send

pytestmark = [
    pytest.mark.skipif(not postfix.available(), reason=postfix.WHY_ABSENT),
    pytest.mark.skipif(not dovecot.available(), reason=dovecot.WHY_ABSENT),
]
JANE = "jane@example.test"
SETTINGS = """\
timeouts: {{connect: 2 s, reply: 5 s, data_end: 20 s}}
retry: {{first: 0.5 s, most: 2 s}}
web: 127.0.0.1:{web}
"""
"""A Postfix that is reloaded may leave a connection without an answer."""


@dataclass
class Site:
    """The relay, the server behind it and the mailboxes behind that."""

    relay: Relay
    postfix: Postfix
    dovecot: Dovecot
    web: int
    sent: int = 0

    def send(self) -> str:
        """One mail, which has to be taken; gives its subject."""
        self.sent += 1
        subject = f"number {self.sent}"
        mail = f"From: {JANE}\r\nTo: {ROLE}\r\nSubject: {subject}\r\nMessage-ID: <{self.sent}@x.test>\r\n\r\nhello\r\n"
        assert send(self.relay.port, [(JANE, ROLE, mail.encode())])[0].startswith("250 ")
        return subject

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command beside the relay."""
        return mailrouter(*words, "--config", str(self.relay.config), env={"COLUMNS": "200"})

    def page(self, path: str) -> tuple[int, str]:
        """A page for monitoring."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def has(self, who: str, subject: str) -> int:
        """How often a mailbox has a mail as a copy."""
        return sum(f"Subject: {subject}\n".encode() in mail for mail in self.dovecot.mails(who))

    def told(self, who: str, words: str) -> int:
        """How many mails of a mailbox hold these words."""
        return sum(words in " ".join(mail.decode().split()) for mail in self.dovecot.mails(who))

    def both_have(self, subject: str) -> None:
        """Wait until both partners have a mail."""
        for who in ("laurie", "elaine"):
            wait_until(lambda who=who: self.has(who, subject) == 1, what=f"{subject} at {who}")

    def well(self) -> None:
        """Wait until nothing is wrong with the next server any more."""
        wait_until(lambda: self.page("/readyz")[0] == 200, what="readiness")
        assert "can't be used" not in self.run("check", "--live").stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One of each for all that follows, so that each trouble is also got over."""
    folder = tmp_path_factory.mktemp("real")
    own, web = free_port(), free_port()
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=postfix.example.test"
    files = ("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"))
    subprocess.run([*words.split(), *files], check=True, capture_output=True)
    with Dovecot(["laurie", "elaine", "jane", "it"]) as mailboxes:
        settings = {
            "virtual_mailbox_domains": "example.test",
            "virtual_mailbox_maps": "static:all",
            "virtual_transport": f"lmtp:inet:127.0.0.1:{mailboxes.port}",
            "recipient_delimiter": "+",
            "transport_maps": f"inline:{{ {{ {ROLE} = smtp:[127.0.0.1]:{own} }} }}",
            "smtpd_tls_cert_file": str(folder / "cert.pem"),
            "smtpd_tls_key_file": str(folder / "key.pem"),
            "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
            "smtpd_error_sleep_time": "0",
            "minimal_backoff_time": "1s",
            "maximal_backoff_time": "2s",
            "queue_run_delay": "1s",
        }
        with Postfix(settings) as server:
            config = write_configuration(
                folder, f"smtp://127.0.0.1:{server.port}", settings=SETTINGS.format(web=web)
            )
            file = config / "mailrouter.yaml"
            file.write_text(file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{own}"))
            with relay(config) as running:
                yield Site(running, server, mailboxes, web)


def test_before_anything_is_wrong_mail_arrives_and_all_is_well(site: Site) -> None:
    """Both have it, and every page says so."""
    site.both_have(site.send())
    assert site.page("/readyz") == (200, "ready\n")
    live = site.run("check", "--live")
    assert live.returncode == 0, live.stdout


DEMANDS = {
    "TLS": ({"smtpd_tls_security_level": "encrypt"}, "It demands TLS", "530 5.7.0"),
    "a login": (
        {"smtpd_recipient_restrictions": "permit_sasl_authenticated, reject"},
        "mynetworks",
        "554 5.7.1",
    ),
    "no relaying": (
        {"virtual_mailbox_domains": "other.test", "mynetworks": "192.0.2.0/24"},
        "does not relay for us",
        "554 5.7.1",
    ),
}
USUAL = {
    "smtpd_tls_security_level": "none",
    "smtpd_recipient_restrictions": "",
    "virtual_mailbox_domains": "example.test",
    "mynetworks": "127.0.0.0/8",
}


@pytest.mark.parametrize("demand", DEMANDS)
def test_a_demand_of_the_next_server_costs_no_mail(site: Site, demand: str) -> None:
    """Mail waits, everybody sees what the server wants, nobody is told that a mail failed; then it arrives."""
    settings, advice, words = DEMANDS[demand]
    site.postfix.set(settings)
    subjects = [site.send()]
    wait_until(lambda: site.page("/readyz")[0] == 503, what="a 503")
    subjects.append(site.send())
    page = site.page("/readyz")[1]
    assert words in page, page
    assert advice in page, page
    live = site.run("check", "--live")
    assert live.returncode == 1
    assert words in live.stdout, live.stdout
    assert advice in live.stdout, live.stdout
    listed = site.run("queue", "list").stdout
    assert "4 waiting" in listed, listed
    assert "failed" not in listed, listed
    assert "mailrouter_next_hop_trouble 1.0" in site.page("/metrics")[1]
    site.postfix.set(USUAL)
    site.run("queue", "retry", "--all")
    for subject in subjects:
        site.both_have(subject)
    site.well()
    for who in ("it", "jane", "laurie", "elaine"):
        assert not site.told(who, "did not reach")
        assert not site.told(who, "Undelivered")


def test_a_server_that_is_stopped_and_started_costs_no_mail(site: Site) -> None:
    """The oldest trouble of all."""
    site.postfix.stop()
    subject = site.send()
    wait_until(lambda: "can't be used" in site.run("check", "--live").stdout, what="the trouble")
    site.postfix.start()
    site.run("queue", "retry", "--all")
    site.both_have(subject)
    site.well()


def test_mailboxes_that_are_down_behind_the_next_server_cost_no_mail(site: Site) -> None:
    """The next server takes it, and keeps it until they are there."""
    site.dovecot.stop()
    subject = site.send()
    site.dovecot.start()
    site.postfix.flush()
    site.both_have(subject)


def test_a_full_mailbox_comes_back_is_seen_at_once_and_is_sent_again(site: Site) -> None:
    """The bounce is told, the copy can be listed and sent again; what was to be told later is not untrue."""
    site.dovecot.fill("elaine")
    subject = site.send()
    wait_until(lambda: site.has("laurie", subject) == 1, what="the other copy")
    wait_until(lambda: "1 copy failed or came back" in site.page("/readyz")[1], what="the bounce")
    status, page = site.page("/readyz")
    assert status == 200
    assert "elaine@example.test" in page, page
    assert "5.2.2" in page, page
    live = site.run("check", "--live")
    assert live.returncode == 1
    assert "1 copy failed or came back in the last 24 hours: elaine@example.test" in live.stdout
    assert 'mailrouter_bounces_total{kind="failed"} 1.0' in site.page("/metrics")[1]
    assert "mailrouter_mailboxes_failing 1.0" in site.page("/metrics")[1]
    listed = site.run("queue", "list", "--state", "bounced").stdout
    assert "elaine@example.test" in listed, listed
    assert "came back" in listed, listed
    wait_until(lambda: site.told("it", "did not reach elaine@example.test") == 1, what="the alert")
    # Sent again while it is still full: it comes back once more, and that is told once more.
    assert site.run("queue", "retry", "--to", "elaine@example.test").returncode == 0
    wait_until(lambda: site.told("it", "did not reach elaine@example.test") == 2, what="the second alert")
    site.dovecot.empty("elaine")
    again = site.run("queue", "retry", "--to", "elaine@example.test")
    assert again.returncode == 0, again.stderr
    wait_until(lambda: site.has("elaine", subject) == 1, what="the copy that was sent again")
    assert "retry" not in site.run("queue", "list", "--state", "bounced").stderr
    assert "Nothing in the queue fits" in site.run("queue", "list", "--state", "bounced").stdout
    wait_until(lambda: "came back" not in site.page("/readyz")[1], what="the end of it")


def test_a_mailbox_that_is_gone_fails_at_once_and_the_other_partner_has_the_mail(site: Site) -> None:
    """A verdict about one mailbox is told as ever; the sender hears nothing, for one partner has it."""
    site.dovecot.remove("elaine")
    subject = site.send()
    wait_until(lambda: site.has("laurie", subject) == 1, what="the other copy")
    wait_until(lambda: "1 copy failed or came back" in site.page("/readyz")[1], what="the bounce")
    assert not site.told("jane", "Undelivered")
