"""Sending many messages with the standard library's client, a peer that knows nothing of ours."""

from __future__ import annotations

import smtplib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor


def send(port: int, mails: Iterable[tuple[str, str, bytes]], connections: int = 4) -> list[str]:
    """Send (reverse-path, recipient, content) each; gives each one's final reply, such as ``250 2.0.0 queued as x``."""
    todo = list(mails)

    def some(part: list[tuple[int, tuple[str, str, bytes]]]) -> list[tuple[int, str]]:
        replies = []
        client = smtplib.SMTP("127.0.0.1", port, timeout=60)
        for index, (sender, recipient, content) in part:
            try:
                client.ehlo_or_helo_if_needed()
                replies.append((index, _one(client, sender, recipient, content)))
            except smtplib.SMTPServerDisconnected as error:
                replies.append((index, f"disconnected: {error}"))
                client.connect("127.0.0.1", port)
        client.quit()
        return replies

    numbered = list(enumerate(todo))
    with ThreadPoolExecutor(connections) as pool:
        found = [
            pair
            for part in pool.map(some, (numbered[n::connections] for n in range(connections)))
            for pair in part
        ]
    return [reply for _, reply in sorted(found)]


def _one(client: smtplib.SMTP, sender: str, recipient: str, content: bytes) -> str:
    options = ["BODY=8BITMIME"] if not content.isascii() else []
    if not sender.isascii():
        options.append("SMTPUTF8")
        client.command_encoding = "utf-8"
    for code, text in (client.mail(sender, options), client.rcpt(recipient)):
        if code != 250:
            client.rset()
            return f"{code} {text.decode('utf-8', 'replace')}"
    try:
        code, text = client.data(content)
    except smtplib.SMTPDataError as error:
        said = error.smtp_error
        code, text = error.smtp_code, said if isinstance(said, bytes) else said.encode()
    return f"{code} {text.decode('utf-8', 'replace')}"


def queue_id(reply: str) -> str:
    """The id in a reply that says ``queued as ID``."""
    return reply.rpartition("queued as ")[2].strip()
