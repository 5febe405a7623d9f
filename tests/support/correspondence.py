"""What people do in tests with real servers: a colleague writes with swaks, a partner sets the handoff."""

from __future__ import annotations

import email
import shutil
import subprocess
from email import policy
from email.message import EmailMessage
from pathlib import Path

from tests.support.programs import mailrouter

BODY = "Hello,\n\nhow is the budget?\n.a line with a dot\n\n  Jane \n"
HANDOFF = "Done:\n- the budget\n\nLeft:\n- call Jim\n"


def has_swaks() -> bool:
    """Whether swaks is here (Debian: apt-get install swaks)."""
    return shutil.which("swaks") is not None


def swaks(port: int, sender: str, recipient: str = "vp-hr@example.test") -> None:
    """Send BODY with the subject Budget; the server has to take it."""
    done = subprocess.run(
        ["swaks", "--server", f"127.0.0.1:{port}", "--from", sender, "--to", recipient,
         "--header", "Subject: Budget", "--body", BODY, "--silent", "2"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def set_handoff(config: Path) -> None:
    """Laurie's HANDOFF, by the command."""
    done = mailrouter("handoff", "set", "vp-hr", "--author", "laurie", "--config", str(config), given=HANDOFF)
    assert done.returncode == 0, done.stderr


def assert_copy(raw: bytes) -> EmailMessage:
    """A partner's copy of BODY: the body as it was sent, the note (Elaine is away), the handoff, attached."""
    message = email.message_from_bytes(raw, policy=policy.default)
    original, note, handoff = message.iter_parts()
    # A part without fields begins with its blank line; swaks ends the body with a line end more.
    part = b"\n" + raw.split(b"--" + str(message.get_boundary()).encode() + b"\n")[1]
    assert part.partition(b"\n\n")[2].rstrip(b"\n") == BODY.encode().rstrip(b"\n")
    assert "budget" in original.get_content()
    assert "Elaine is away until" in note.get_content()
    assert "Laurie covers" in note.get_content()
    assert "skiing" not in raw.decode()
    assert handoff.get_content_disposition() == "attachment"
    assert "call Jim" in handoff.get_content()
    assert "vp-hr@example.test" in message["Reply-To"]
    return message
