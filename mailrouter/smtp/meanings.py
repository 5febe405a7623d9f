"""Meanings of reply and status codes in our own words. Pure.

A log line says what a server answered without repeating any of its words, which may quote the mail. The words here are
chosen by digits alone (RFC 5321 §4.2.3; RFC 3463 §3 and its registry at IANA).
"""

from __future__ import annotations

_BY_STATUS = {
    "1.1": "no such mailbox",
    "1.2": "no such domain",
    "1.3": "an address that it can't read",
    "1.4": "an address that means several mailboxes",
    "1.6": "the mailbox has moved",
    "1.7": "a sender's address that it can't read",
    "1.8": "a sender's domain that it does not know",
    "1.10": "a domain that takes no mail",
    "2.1": "the mailbox is out of use",
    "2.2": "the mailbox is full",
    "2.3": "too large for the mailbox",
    "3.1": "its disk is full",
    "3.2": "it takes no mail now",
    "3.4": "too large for it",
    "4.1": "no answer from the server behind it",
    "4.2": "a bad connection",
    "4.3": "it can't look up where the mail goes",
    "4.4": "it does not know where the mail goes",
    "4.5": "too much mail at once",
    "4.6": "a loop",
    "4.7": "the time for trying is over",
    "5.1": "a command out of place",
    "5.2": "a command that it does not know",
    "5.3": "too many recipients",
    "5.4": "a parameter that it does not know",
    "6.7": "it does not know addresses with such letters",
    "7.0": "a rule of its own",
    "7.1": "not allowed by its rules",
    "7.8": "a login that it does not take",
    "7.9": "a login of a kind that it does not take",
    "7.10": "it demands encryption",
    "7.11": "it demands encryption for a login",
    "7.20": "no DKIM signature that passes",
    "7.21": "no DKIM signature that it accepts",
    "7.22": "no DKIM signature by the author's domain",
    "7.23": "SPF fails",
    "7.24": "SPF can't be checked",
    "7.25": "our address has no name in DNS",
    "7.26": "SPF, DKIM or DMARC fail",
}
_BY_SUBJECT = {
    "1": "something about the address",
    "2": "something about the mailbox",
    "3": "something about that server",
    "4": "something about the network or the way",
    "5": "something about the conversation",
    "6": "something about the content",
    "7": "a rule of its own",
}
_BY_CODE = {
    421: "it closes the connection",
    450: "the mailbox can't be used now",
    451: "an error of its own",
    452: "no room",
    454: "it can't do it now",
    530: "it demands encryption or a login",
    534: "it demands another login",
    535: "a login that it does not take",
    538: "it demands encryption for a login",
    550: "it does not take it",
    551: "the mailbox is elsewhere",
    552: "no room, or too large",
    553: "an address that it does not take",
    554: "it does not take it",
}


def meaning(code: int, status: str) -> str:
    """The meaning of a reply: by its enhanced ``status`` (``5.1.1``), else by its ``code``; ``""`` where neither tells.

    >>> meaning(550, "5.1.1")
    'no such mailbox'
    """
    _, _, detail = status.partition(".")
    return (
        _BY_STATUS.get(detail)
        or (detail != "0.0" and _BY_SUBJECT.get(detail.partition(".")[0]))
        or _BY_CODE.get(code, "")
    )
