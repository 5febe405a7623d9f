"""Whether a next hop that defers mail is in trouble itself. Pure.

One that puts off every message is no better than a dead one, and trying each of them helps nobody. But a mailbox that
is over its quota, or a mail that is greylisted, must hold up no other.
"""

from __future__ import annotations

import re

from mailrouter.smtp.replies import Reply

ENOUGH = 3
"""So many different messages put off, with none taken or refused between, make it the server's trouble."""
_STATUS = re.compile(r"4\.([0-9])\.[0-9]{1,3}(?![0-9])")


def of_server(stage: str, reply: Reply) -> bool:
    """Whether a reply defers a message for the server's own sake. Else it does for that message or its recipient.

    ``stage`` is what was answered: mail, rcpt, data, dot, or ``""``. MAIL and DATA name nobody (our return paths differ
    only in a token). At RCPT and at the end of the content it is so for a status X.3.z (mail system) or X.4.z (network,
    routing), by RFC 3463 §3; of the others, mailboxes (X.2) and policy (X.7: greylisting, for which each message must
    have been tried) are the most usual. Without a status it is so for 452 (RFC 5321 §4.2.3: insufficient storage).
    421 speaks of the connection and is seen to apart.
    """
    if reply.own or reply.code // 100 != 4 or reply.code == 421 or not stage:
        return False
    if stage in ("mail", "data"):
        return True
    status = _STATUS.match(reply.text)
    return status[1] in "34" if status else reply.code == 452


class PuttingOff:
    """The messages and recipients put off in a row."""

    def __init__(self) -> None:
        self._messages: set[int] = set()
        self._recipients: set[str] = set()

    def heard(self, message: int, recipient: str, stage: str, reply: Reply, enough: int = ENOUGH) -> bool:
        """Take note of a reply; True where ``enough`` different messages make it the server's trouble by now.

        What it says of one recipient alone is never enough.
        """
        if not of_server(stage, reply):
            if not reply.own and reply.code // 100 in (2, 5):
                self.forget()
            return False
        if len(self._messages) < enough:  # a long queue to one recipient is not all remembered
            self._messages.add(message)
        # The content's end answers for the recipient as well: there is one a transaction.
        self._recipients.update((recipient,) if stage in ("rcpt", "dot") else (recipient, ""))
        return len(self._messages) >= enough and len(self._recipients) > 1

    def forget(self) -> None:
        """Forget what was put off: the server works, or has trouble."""
        self._messages.clear()
        self._recipients.clear()
