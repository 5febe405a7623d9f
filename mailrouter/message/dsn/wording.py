"""Reading a report's words where no field speaks. Pure.

Mail servers wrote bounces for people long before RFC 3464, and some still do; the phrases here are those
that many of them share, never one server's whole form.
"""

from __future__ import annotations

import re

from mailrouter.message.dsn.status import status_in
from mailrouter.message.text.words import strip_controls

MAX_DIAGNOSTIC = 200
"""Characters of the one line that says why."""
MAX_LINE = 2_000
"""Characters of a line that are looked at for it."""

# Where the words of the server end and the returned message, quoted below them, begins.
_COPY_BELOW = re.compile(
    r"^[ \t]{0,20}[-=_*]{2,80}[^\n]{0,30}(?:copy of (?:the|your) (?:original )?message"
    r"|original message|message follows|unsent message|returned message|message header|message text follows"
    r"|bounced e-?mail)"
    r"|^(?:return-path|received|dkim-signature|message-id|x-originating-ip):[ \t]?\S"
    r"|^[^\n]{0,40}(?:copy of the message, including all the headers|"
    r"your original message (?:is|follows|headers))",
    re.I | re.M,
)

_DELAYED = re.compile(
    r"""this\ is\ a\ warning\ (?:message\ )?only | (?:do\ not|don't)\ need\ to\ re-?send
    | (?:will|shall)\ (?:continue\ to\ be|be|keep|continue)\ (?:retr[iy]|re-?tried|trying|attempt)
    | (?:message|e?mail|delivery|it)\ will\ be\ (?:re-?tried|retried|re-?attempted)
    | still\ being\ re-?tried | has\ not\ yet\ been\ delivered | have\ not\ yet\ been\ delivered
    | not\ yet\ been\ able\ to\ deliver | will\ (?:be\ )?(?:keep|continue)\ (?:on\ )?(?:try|re-?try)
    | delivery\ (?:to\ the\ following\ recipients?\ )?has\ been\ delayed | temporarily\ delayed
    | no\ action\ is\ required\ on\ your\ part | wird\ weiter(?:hin)?\ versuch
    """,
    re.I | re.X,
)
_DELAY_SUBJECT = re.compile(
    r"\(delay(?:ed)?\)|\bdelayed\b|\bwarning\b|still being retried|verz(?:ö|oe)ger",
    re.I,
)
_FAILED = re.compile(
    r"""(?:could|can|was|were|is|has|have)\s*(?:not|n[o']?t)\s+(?:be(?:en)?\s+|successfully\s+)*deliver
    | (?:unable|not\ able|wasn't\ able|failed|impossible|couldn't|could\ not|cannot)\ (?:to\ )?deliver
    | undeliver(?:able|ed) | deliver(?:y|ing)\b[^\n]{0,60}\bfail | fail(?:ed|ure)\b[^\n]{0,40}\bdeliver
    | permanent(?:ly)?\ (?:fatal\ )?(?:error|fail) | fatal\ error | giving\ up | delivery\ errors?
    | did\ not\ reach | (?:was|were|been|is)\ (?:rejected|refused|returned|bounced|blocked|discarded)
    | (?:user|recipient|mailbox|address(?:ee)?|account|host|domain)\b[^\n]{0,60}
      \b(?:unknown|not\ (?:found|exist|listed)|unavailable|doesn't\ exist|is\ disabled|invalid|full\b)
    | (?:unknown|invalid|no\ such|non-?existent)\ (?:user|recipient|mailbox|address|host|domain|local\ part)
    | (?:mailbox|quota|over\ ?quota)\b[^\n]{0,40}\b(?:full|exceed)
    | message\ (?:was\ )?(?:not\ )?(?:returned|rejected) | returning\ (?:(?:message|mail)\ )?to\ sender
    | return(?:ed)?\ to\ sender | had\ (?:permanent|delivery|problems) | error\ (?:sending|delivering)
    | (?:could|can)(?:'t|not|\ not)\ (?:be\ sent|send) | not\ accept(?:ed)? | are\ not\ (?:a\ )?member
    | (?<![0-9.])5[0-9][0-9][ -](?:\#?5\.[0-9]+\.[0-9]+|[A-Za-z<]) | nicht\ zugestellt
    | не\ (?:было\ )?доставлено | (?:配信|送信|配送)(?:できません|できませんでした|に失敗|不能|エラー)
    | お届けできません | 送信できませんでした | 无法(?:投递|送达) | 退信
    | no\ (?:ha\ podido|se\ pudo)\ entregar
    | n'a\ pas\ pu\ être | non\ (?:è\ stato|recapitat) | n(?:ã|a)o\ (?:p[oô]de|foi)\ (?:ser\ )?entreg
    """,
    re.I | re.X,
)
_REPLY_CODE = re.compile(r"(?<![0-9.:/])([45])[0-9][0-9](?:[ -]|$)", re.M)
_SAID = re.compile(
    r"(?<![0-9.:/-])[45][0-9][0-9][ -]\S|\b[45]\.[0-9]{1,3}\.[0-9]{1,3}\b|\b(?:said|reason|error)\b ?:", re.I
)

_MEANINGS = (
    (
        r"mailbox (?:is )?(?:full|exceed)|quota|insufficient (?:disk|storage)|(?:disk|storage) space",
        "2.2",
    ),
    (
        r"(?:user|recipient|mailbox|address|account|alias)\b.{0,40}"
        r"(?:unknown|not found|not exist|not listed|no longer)"
        r"|(?:unknown|no such|invalid) (?:user|recipient|mailbox|address|account|local)"
        r"|no mailbox here|does ?n[o']t have an? .{0,40}account"
        r"|not a (?:valid|known) (?:user|mailbox|recipient)",
        "1.1",
    ),
    (
        r"(?:host|domain)\b.{0,40}(?:unknown|not found|not exist)|(?:unknown|no such) (?:host|domain)"
        r"|nxdomain|no mx|unrouteable|could ?n[o']t find any host|name (?:service|server) error",
        "1.2",
    ),
    (r"too (?:big|large|long)|size (?:limit|exceed)|exceeds? .{0,40}(?:size|limit)", "3.4"),
    (r"spam|policy|blacklist|blocked|block list|blocklist|reputation|virus|denied|not authori[sz]ed", "7.1"),
    (r"timed? ?out|refused|unreachable|expired|too long|no route|deferred|retry", "4.7"),
)
_MEANING = tuple((re.compile(pattern, re.I | re.S), code) for pattern, code in _MEANINGS)


def server_words(text: str) -> str:
    """The server's words, without the message returned below them."""
    match = _COPY_BELOW.search(text)
    return text[: match.start()] if match else text


def says_delayed(subject: str, words: str) -> bool:
    """Whether the mail is still on its way."""
    return bool(_DELAYED.search(words) or _DELAY_SUBJECT.search(subject))


def says_failed(words: str) -> bool:
    """Whether something did not arrive."""
    return _FAILED.search(words) is not None


def status_of(words: str, kind: str) -> str:
    """The status code in ``words``, or one that fits them. ``""``: no sign.

    ``kind`` gives the class where no reply code does: 5 for ``failed``, 4 for ``delayed``.
    """
    if status := status_in(words):
        return status
    code = _REPLY_CODE.search(words)
    number = code[1] if code else {"failed": "5", "delayed": "4"}.get(kind, "")
    if not number:
        return ""
    for pattern, detail in _MEANING:
        if pattern.search(words):
            return f"{number}.{detail}"
    return f"{number}.0.0" if code else ""


def diagnostic_in(words: str) -> str:
    """The line that says why, best effort: one with a reply code, else one that says what failed."""
    lines = [line for line in map(str.strip, words.splitlines()[:500]) if line]
    for pattern in (_SAID, _FAILED):
        for line in lines:
            if pattern.search(line):
                return one_line(line)
    return one_line(lines[0]) if lines else ""


def one_line(text: str) -> str:
    """``text`` on one line, without controls, at most ``MAX_DIAGNOSTIC`` characters."""
    line = " ".join(strip_controls(text[:MAX_LINE]).split())
    return line if len(line) <= MAX_DIAGNOSTIC else line[: MAX_DIAGNOSTIC - 1].rstrip() + "…"
