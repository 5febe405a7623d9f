"""A partner's mailbox that forwards to the role, behind a real Postfix: refused, told, and over."""

from __future__ import annotations

import email
import secrets
import smtplib
from email import policy
from pathlib import Path

import pytest

from mailrouter.store.ids import MessageId
from mailrouter.store.sqlite.reader import StoreReader
from mailrouter.turns import drive
from tests.support import postfix
from tests.support.ports import free_port
from tests.support.programs import mailrouter
from tests.support.relay import ONE_AWAY, ROLE, relay, wait_until, write_configuration

pytestmark = pytest.mark.skipif(not postfix.available(), reason=postfix.WHY_ABSENT)

PEOPLE = ("laurie", "elaine", "it", "jane", "role")
MAILS = 3


def settings(relay_port: int, forwards_to: str) -> dict[str, str]:
    """Postfix with everybody's mailbox, the role's mail to the relay, and Elaine's mail to ``forwards_to``."""
    boxes = " ".join(f"{name}@example.test={name}/" for name in PEOPLE)
    return {
        "transport_maps": f"inline:{{ {{{ROLE} = smtp:[127.0.0.1]:{relay_port}}} }}",
        "recipient_delimiter": "+",
        "virtual_mailbox_domains": "example.test",
        "virtual_mailbox_maps": f"inline:{{ {boxes} {ROLE}=role/ }}",
        "virtual_alias_maps": f"inline:{{ {{elaine@example.test = {forwards_to}}} }}",
    }


def send(port: int, number: int) -> None:
    """A mail from Jane to the role, through Postfix."""
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.sendmail(
            "jane@example.test",
            [ROLE],
            f"From: jane@example.test\r\nTo: {ROLE}\r\nSubject: Budget {number}\r\n"
            f"Message-ID: <{number}@example.test>\r\n\r\nHello\r\n",
        )


@pytest.mark.parametrize("forwards_to", [ROLE, f"elaine@example.test, {ROLE}"], ids=["only", "too"])
def test_a_mailbox_that_forwards_to_the_role_makes_no_storm(tmp_path: Path, forwards_to: str) -> None:
    """Each mail comes back once and is refused; Laurie gets one copy, IT one alert, and nobody else the handoff."""
    canary = "canary" + secrets.token_hex(12)
    port = free_port()
    with postfix.Postfix(settings(port, forwards_to)) as server:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{server.port}", ONE_AWAY)
        file = config / "mailrouter.yaml"
        file.write_text(file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        with relay(config) as running:
            done = mailrouter(
                "handoff",
                "set",
                "vp-hr",
                "--author",
                "laurie",
                "--config",
                str(config),
                given=f"Left:\n- {canary}\n",
            )
            assert done.returncode == 0, done.stderr
            for number in range(MAILS):
                send(server.port, number)
            store = StoreReader(tmp_path / "var" / "mailrouter.db")

            def bounced() -> int:
                found = [drive(store.entry(message)) for message in messages(store)]
                return sum(d.state == "bounced" for entry in found if entry for d in entry.deliveries)

            wait_until(lambda: bounced() == MAILS, what="the refusals, come back as bounces")
            wait_until(lambda: not drive(store.waiting()), what="an empty queue")
            wait_until(lambda: len(copies(server, "laurie")) == MAILS, what="Laurie's copies")
            log = running.log.read_text()
            store.close()
        seen = {name: server.mails(name) for name in PEOPLE}
        postfix_log = server.log.read_text()
    assert log.count("came back to it") == MAILS
    subjects = [email.message_from_bytes(raw, policy=policy.default)["Subject"] for raw in seen["it"]]
    assert subjects == ["Mail for VP Human Resources came back to it: elaine@example.test forwards it"]
    (alert,) = (email.message_from_bytes(raw, policy=policy.default) for raw in seen["it"])
    assert "It had gone to Elaine's mailbox" in " ".join(alert.get_content().split())
    assert sorted(copies(server, "laurie", seen)) == sorted(f"Budget {n}" for n in range(MAILS))
    notices = [email.message_from_bytes(raw, policy=policy.default) for raw in seen["laurie"]]
    (notice,) = (message for message in notices if not message["Mailrouter-You"])
    assert notice["Subject"] == "A mail came back from Elaine's mailbox"
    assert len(copies(server, "elaine", seen)) == (MAILS if "," in forwards_to else 0)
    for name in ("it", "jane", "role"):
        assert not any(canary.encode() in raw for raw in seen[name])
    assert seen["jane"] == seen["role"] == []
    assert postfix_log.count(f"to=<{ROLE}>") <= 3 * MAILS


def copies(server: postfix.Postfix, name: str, seen: dict[str, list[bytes]] | None = None) -> list[str]:
    """The subjects of the role's copies in a mailbox."""
    raws = seen[name] if seen else server.mails(name)
    found = [email.message_from_bytes(raw, policy=policy.default) for raw in raws]
    return [message["Subject"] for message in found if message["Mailrouter-You"]]


def messages(store: StoreReader) -> list[MessageId]:
    """The ids of all messages."""
    return [row[0] for row in store._rows("SELECT id FROM message")]
