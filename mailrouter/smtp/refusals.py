"""Permanent refusals: whether one speaks of a mail or its mailbox, or of us and the session. Pure.

At MAIL and RCPT the next server knows nothing of a mail but its size: it sees us, our return path and one recipient.
A refusal of us costs every mail alike, so it must cost none: the mail waits until the server is well or its time is
over. A verdict on one mail or mailbox fails at once, for its sender is to hear of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mailrouter.smtp.replies import Reply

About = Literal["mail", "server", "unclear"]
"""``mail``: this mail, this mailbox or this return path. ``server``: us, or the server. ``unclear``: what the server says
to somebody else tells (``judged``)."""
Judgement = Literal["mail", "server", "wait"]
"""``wait``: this delivery is tried again, and nothing is wrong with the server for others."""
Demand = Literal["login", "tls", "relay", "client", ""]
"""What the server wants of us, as far as its words tell; ``client``: this host is not let in at all."""

_STATUS = re.compile(r"5\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9.])")
_LOGIN_CODES = frozenset((530, 534, 535, 538))
"""RFC 4954 §4 and §6; 530 is STARTTLS's as well (RFC 3207 §4)."""
_PROTOCOL_CODES = frozenset((500, 502, 503, 504, 521, 523, 524, 525))
"""Syntax, sequence and missing commands (RFC 5321 §4.2.2), no mail at all (RFC 7504), encryption and mechanisms."""
_OF_US_REGISTERED = "3.1 3.2 3.5 7.3 7.4 7.8 7.9 7.10 7.11 7.12 7.13 7.14 7.15 7.23 7.24 7.25"
"""RFC 5248's registry: the system; credentials, mechanism, encryption; this host's name and its right to send."""
_OF_US_EXCHANGE = "7.51 7.54 7.57 7.60 7.64 7.511 7.606 7.705 7.708 7.750"
"""Exchange and Microsoft 365: not logged in, no relaying, no connector for this host, this host banned."""
_OF_US = frozenset(f"{_OF_US_REGISTERED} {_OF_US_EXCHANGE}".split(" "))
_OF_A_MAIL = frozenset(("3.4", "4.6", "4.14"))
"""Too large (RFC 3463 §3.4), loops (§3.5; 4.14 is Exchange's hop count)."""
_OF_A_SENDER = frozenset(("1.7", "1.8"))
"""The return path's syntax or domain (RFC 3463 §3.2): ours, so perhaps everybody's."""

_PERMANENT = re.compile(r"(?<![0-9])5[0-9][0-9] [^\n]*+")
_MOST_READ = 300
"""Characters of a reply that are compared with these words."""
_TLS_WORDS = re.compile(
    r"starttls|must (?:use|issue|be)[a-z ]{0,20}\b(?:tls|encrypt)|(?:tls|encryption) (?:is )?(?:required|needed)"
)
_LOGIN_WORDS = re.compile(
    r"\bauthenticat(?:ion|e) (?:is )?(?:required|needed|first|yourself)|not (?:logged in|authenticated)|must (?:first )?"
    r"(?:authenticate|log ?in)|need to (?:authenticate|log ?in)|auth (?:first|required)|log ?in (?:first|required)|"
    r"no authentication|permissions? to (?:submit|send)|smtp auth|authenticate (?:first|before)"
)
_RELAY_WORDS = re.compile(
    r"relay(?:ing)?(?: access| is| of mail)? (?:was |is )?(?:denied|not (?:permitted|allowed|possible|authori[sz]ed)|"
    r"prohibited|forbidden|refused|rejected)|(?:un|not )able to relay|cannot relay|can'?t relay|"
    r"not? (?:permitted|allowed|authori[sz]ed) to relay|(?:do not|don'?t|does not|no) relay|"
    r"not (?:permitted|allowed)[a-z ]{0,20}relay|rcpthosts|"
    r"not a (?:gateway|relay)|open relay"
)
_CLIENT_WORDS = re.compile(
    r"client host|helo command rejected|ehlo|reverse (?:dns|hostname)|\bptr\b|blocked using|\bdnsbl|\brbl\b|blacklist|"
    r"blocklist|(?:your|this|sending|client) (?:ip|host|server)\b|ip address|\bspf\b|access denied"
)
_MAILBOX_WORDS = re.compile(
    r"no such (?:user|mailbox|recipient|address|account)|(?:user|recipient|mailbox|address|account) (?:is )?(?:unknown|"
    r"unavailable|disabled|inactive|invalid|not (?:found|known|local))|"
    r"unknown (?:user|recipient|mailbox|address|account)|(?:does not|doesn'?t) exist|"
    r"invalid (?:recipient|mailbox|address)|no mailbox|mailbox (?:name )?not|unrouteable|"
    r"quota|mailbox (?:is )?full|not a valid (?:user|mailbox|recipient)"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table; the first that fits decides. ``stages``: those of ``smtp.offer.Outgoing.stage``."""

    reason: str
    stages: frozenset[str]
    fits: Callable[[int, str, str], bool]
    """Asked with the code, the status without its class (``7.1``, ``""`` for none) and the words in lower case."""
    about: About


_MAIL, _RCPT, _DATA, _DOT = (frozenset((stage,)) for stage in ("mail", "rcpt", "data", "dot"))
_ENVELOPE = _MAIL | _RCPT | _DATA
Test = Callable[[int, str, str], bool]


def _codes(codes: frozenset[int]) -> Test:
    return lambda code, status, words: code in codes


def _statuses(known: frozenset[str]) -> Test:
    return lambda code, status, words: status in known


def _subjects(*subjects: str) -> Test:
    """The second number of the status (RFC 3463 §2): 1 address, 2 mailbox, 3 system … ``""``: no status."""
    return lambda code, status, words: status.partition(".")[0] in subjects


def _words(pattern: re.Pattern[str], *subjects: str) -> Test:
    return lambda code, status, words: status.partition(".")[0] in subjects and bool(pattern.search(words))


def _demanding(code: int, status: str, words: str) -> bool:
    return status.partition(".")[0] != "2" and bool(_demand(words))


def _always(code: int, status: str, words: str) -> bool:
    return True


TABLE: tuple[Rule, ...] = (
    Rule("a login or TLS is demanded", _ENVELOPE | _DOT, _codes(_LOGIN_CODES), "server"),
    Rule("a status of us, though the content was read", _DOT, _statuses(_OF_US - {"7.23"}), "server"),
    Rule("no relaying, though the content was read", _DOT, _words(_RELAY_WORDS, "7"), "unclear"),
    Rule("the content was read: it is about the mail", _DOT, _always, "mail"),
    Rule("the size, or a loop", _ENVELOPE, _statuses(_OF_A_MAIL), "mail"),
    Rule("we and the server do not understand each other", _ENVELOPE, _codes(_PROTOCOL_CODES), "server"),
    Rule("DATA names nobody, and nothing was sent", _DATA, _subjects("", "0", "3", "4", "5"), "server"),
    Rule("DATA: a rule or a mailbox, or all alike", _DATA, _always, "unclear"),
    Rule("a status of us, or of one recipient's domain", _ENVELOPE, _statuses(_OF_US), "unclear"),
    Rule("the return path: one domain's, or all alike", _ENVELOPE, _statuses(_OF_A_SENDER), "unclear"),
    Rule("MAIL: one return path's, or all alike", _MAIL, _always, "unclear"),
    Rule("no such user, whatever else is said", _RCPT, _statuses(frozenset(("1.1",))), "mail"),
    Rule("words of relaying, logins, TLS or this host", _RCPT, _demanding, "unclear"),
    Rule("the address, the mailbox, the content", _RCPT, _subjects("1", "2", "6"), "mail"),
    Rule("full", _RCPT, _codes(frozenset((552,))), "mail"),
    Rule("words of a mailbox", _RCPT, _words(_MAILBOX_WORDS, ""), "mail"),
    Rule("system, network, protocol, policy, or no status at all", _RCPT, _always, "unclear"),
)


def about(stage: str, reply: Reply) -> About:
    """The subject of a 5yz reply at ``stage``, if it tells."""
    if reply.own or stage not in _ENVELOPE | _DOT:
        return "mail"  # our own objection to this very mail
    status, words = _status_words(reply)
    return next(rule.about for rule in TABLE if stage in rule.stages and rule.fits(reply.code, status, words))


def judged(stage: str, reply: Reply, other: Reply | None) -> Judgement:
    """The judgement on a mail that got a 5yz.

    ``other`` is what the server said to somebody else in its stead: to MAIL with ``<>``, or to RCPT with another
    recipient; None where it was not asked.

    What is unclear and finds no second opinion is held to be about us: a mail that waits is not lost.
    """
    found = about(stage, reply)
    if found == "mail":
        return "mail"
    if other is None or not other.positive:
        # Refused otherwise than this one, the other tells nothing, and put off neither.
        return "server"
    if found == "unclear":
        return "mail"
    return "wait" if stage == "rcpt" else "server"


def needs_opinion(stage: str, reply: Reply) -> bool:
    """Whether what the server says to somebody else tells more."""
    if reply.code // 100 != 5 or stage not in ("mail", "rcpt"):
        return False
    found = about(stage, reply)
    return found == "unclear" or (found == "server" and stage == "rcpt")


def demand(reply: Reply) -> Demand:
    """The demand that the server makes of us."""
    status, words = _status_words(reply)
    if found := _demand(words):
        return found
    if reply.code in _LOGIN_CODES or status in ("7.3", "7.8", "7.9", "7.12", "7.13", "7.57"):
        return "login"
    return "tls" if status in ("7.10", "7.11") or reply.code == 523 else ""


def _demand(words: str) -> Demand:
    found: tuple[tuple[Demand, re.Pattern[str]], ...] = (
        ("tls", _TLS_WORDS),
        ("relay", _RELAY_WORDS),
        ("login", _LOGIN_WORDS),
        ("client", _CLIENT_WORDS),
    )
    return next((name for name, pattern in found if pattern.search(words)), "")


def _status_words(reply: Reply) -> tuple[str, str]:
    text = reply.text[:_MOST_READ]
    status = _STATUS.match(text)
    return (f"{int(status[1])}.{int(status[2])}" if status else ""), " ".join(text.lower().split())


ADVICE: dict[Demand, str] = {
    "login": "It demands a login. mailrouter sends without one: let that server take mail from this host as it is "
    "(Postfix: mynetworks; Exchange: a receive connector for this host).",
    "tls": "It demands TLS. mailrouter sends without: let that server take mail from this host without TLS (Postfix: "
    "smtpd_tls_security_level = may on the port that takes it).",
    "relay": "It does not relay for us: add this host to those it relays for (Postfix: mynetworks; Exchange: a receive "
    "connector for this host), and the partners' domains to those it takes.",
    "client": "It does not let this host in: add it to those it trusts (Postfix: mynetworks), and look at its name.",
    "": "",
}
"""What there is to do, for whoever runs the next server."""


def advice_in(words: str) -> str:
    """Advice for a connection that ended in a reply's ``words``. They hold a reply to the greeting, or to EHLO."""
    found = _PERMANENT.search(words[:_MOST_READ])
    if found is None:
        return ""
    reply = Reply(int(found[0][:3]), found[0][4:])
    return ADVICE[demand(reply) or "client"]


def advice(reply: Reply) -> str:
    """Advice about a refusal of us; ``""`` where its words do not tell."""
    return ADVICE[demand(reply)]
