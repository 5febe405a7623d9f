"""Reading MAIL and RCPT strictly, and the envelope they build. Pure.

aiosmtpd accepts controls inside addresses and guesses where angle brackets are missing; what is let in here
would be sent on to the next server, so nothing is guessed (RFC 5321 §4.1.1.2, §4.1.1.3, §4.1.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from mailrouter.message.text.xtext import decode_original_recipient, decode_xtext

MAX_PATH = 254
"""Octets of an address between ``<`` and ``>`` (RFC 5321 §4.5.3.1.3 less the brackets)."""
MAX_LOCAL = 64
"""Octets of a local part of ours (RFC 5321 §4.5.3.1.1). Others' are not measured: bulk senders' are long."""

MAX_ENVID = 100
MAX_ORCPT = 500
"""Characters (RFC 3461 §4.4, §4.2)."""

_ATOM = r"[^\x00-\x20\x7f-\x9f\u2028\u2029()<>\[\]:;@\\,\"]+"
_QUOTED = r'"(?:[^\x00-\x1f\x7f-\x9f\u2028\u2029"\\]|\\[\x20-\x7e])*"'
_DOMAIN = r"(?:\[[^\x00-\x20\x7f-\x9f\[\]\\]+\]|[^\x00-\x20\x7f-\x9f\u2028\u2029()<>\[\]:;@\\,\"]+)"
_PATH = re.compile(rf"<(?:@[^<>@\s:]+(?:,@[^<>@\s:]+)*:)?((?:{_ATOM}|{_QUOTED})(?:@{_DOMAIN})?|)>")
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\x00-\x20=\x7f]+))?\Z")
_BOUNDS = {"FROM": 5, "TO": 3}
_UNREADABLE = {"FROM": "501 5.1.7", "TO": "501 5.1.3"}


@dataclass(slots=True)
class Envelope:
    """The envelope that MAIL and RCPT gave.

    ``reverse_path`` is None before MAIL and ``""`` for ``<>``; ``dsn`` holds RET and ENVID, ``notify`` and ``orcpt``
    those parameters by recipient (RFC 3461), all as they were typed.
    """

    reverse_path: str | None = None
    recipients: list[str] = field(default_factory=list)
    smtputf8: bool = False
    eight_bit: bool = False
    dsn: dict[str, str] = field(default_factory=dict)
    notify: dict[str, str] = field(default_factory=dict)
    orcpt: dict[str, str] = field(default_factory=dict)
    declared_size: int = 0


class Path(NamedTuple):
    """One address with the parameters that followed it; names in upper case, values as they were typed."""

    address: str
    parameters: dict[str, str]


class BadPath(ValueError):
    """The argument can't be read; ``reply`` is what the client is told."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


def read_path(keyword: str, argument: bytes) -> Path:
    """Read the argument of MAIL (keyword ``FROM``) or RCPT (``TO``). Raises BadPath."""
    try:
        text = argument.decode("utf-8")
    except UnicodeDecodeError:
        raise BadPath("501 5.5.2 The command is not valid UTF-8") from None
    lead = _BOUNDS[keyword]
    if text[:lead].upper() != f"{keyword}:":
        raise BadPath(f"501 5.5.4 Syntax: {'MAIL' if keyword == 'FROM' else 'RCPT'} {keyword}:<address>")
    match = _PATH.match(text, lead + (len(text[lead:]) - len(text[lead:].lstrip(" "))))
    if match is None:
        raise BadPath(f"{_UNREADABLE[keyword]} The address can't be read; it stands between < and >")
    address = match[1]
    if len(address.encode()) > MAX_PATH:
        raise BadPath(f"{_UNREADABLE[keyword]} The address is too long")
    rest = text[match.end() :]
    if rest.strip(" ") and not rest.startswith(" "):
        raise BadPath("501 5.5.4 A space stands between the address and its parameters")
    parameters: dict[str, str] = {}
    for word in rest.split(" "):
        if not word:
            continue
        parameter = _PARAMETER.match(word)
        if parameter is None or parameter[1].upper() in parameters:
            raise BadPath("501 5.5.4 A parameter can't be read or comes twice")
        parameters[parameter[1].upper()] = parameter[2] or ""
    return Path(address, parameters)


def too_large(max_size: int) -> str:
    """The reply to a message over ``max_size`` octets (RFC 1870 §6). Announced or counted."""
    return f"552 5.3.4 The message is larger than the {max_size} octets taken here"


def begin(path: Path, max_size: int | None) -> Envelope:
    """The envelope that MAIL opens. Raises BadPath for a parameter that can't be obeyed."""
    envelope = Envelope(path.address)
    for name, value in path.parameters.items():
        match name:
            case "BODY":
                if value.upper() not in ("7BIT", "8BITMIME"):
                    raise BadPath("501 5.5.4 BODY is 7BIT or 8BITMIME")
                envelope.eight_bit = value.upper() == "8BITMIME"
            case "SIZE":
                if not value.isascii() or not value.isdigit() or len(value) > 20:
                    raise BadPath("501 5.5.4 SIZE is a number of octets")
                envelope.declared_size = int(value)
                if max_size is not None and envelope.declared_size > max_size:
                    raise BadPath(too_large(max_size))
            case "SMTPUTF8":
                if value:
                    raise BadPath("501 5.5.4 SMTPUTF8 takes no value")
                envelope.smtputf8 = True
            case "AUTH":
                pass  # RFC 4954 §5: a server that does not trust the client reads it and believes nothing
            case "RET":
                if value.upper() not in ("FULL", "HDRS"):
                    raise BadPath("501 5.5.4 RET is FULL or HDRS")  # RFC 3461 §4.3
                envelope.dsn[name] = value
            case "ENVID":
                if decode_xtext(value) is None or len(value) > MAX_ENVID:
                    raise BadPath(
                        f"501 5.5.4 ENVID is xtext of at most {MAX_ENVID} characters"
                    )  # RFC 3461 §4.4
                envelope.dsn[name] = value
            case _:
                raise BadPath(f"555 5.5.4 The parameter {name} is not known here")
    if not path.address.isascii() and not envelope.smtputf8:
        raise BadPath("553 5.6.7 An address with such letters needs SMTPUTF8")
    return envelope


def check_recipient(path: Path, smtputf8: bool = False) -> None:
    """Refuse a recipient that is invalid or has unusable parameters.

    Raises BadPath for parameters of RCPT that can't be obeyed, and for an empty, overlong or unannounced recipient.
    """
    for name, value in path.parameters.items():
        match name:
            case "NOTIFY":
                _check_notify(value)
            case "ORCPT":
                if decode_original_recipient(value) is None or len(value.encode()) > MAX_ORCPT:
                    raise BadPath(
                        "501 5.5.4 ORCPT is a type of address, a semicolon and the address in xtext"
                    )  # RFC 3461 §4.2
                if not value.isascii() and not smtputf8:
                    raise BadPath("553 5.6.7 An address with such letters needs SMTPUTF8")  # RFC 6533 §3
            case _:
                raise BadPath(f"555 5.5.4 The parameter {name} is not known here")
    if not path.address:
        raise BadPath("501 5.1.3 A recipient is needed between < and >")
    if not path.address.isascii() and not smtputf8:
        raise BadPath("553 5.6.7 An address with such letters needs SMTPUTF8")  # RFC 6531 §3.4
    if len(path.address.rpartition("@")[0].encode()) > MAX_LOCAL:
        raise BadPath("501 5.1.3 The part before the @ is too long")


def add_recipient(envelope: Envelope, path: Path) -> None:
    """Add a recipient that was checked; one that is named again changes nothing."""
    if path.address in envelope.recipients:
        return
    envelope.recipients.append(path.address)
    if "NOTIFY" in path.parameters:
        envelope.notify[path.address] = path.parameters["NOTIFY"].upper()
    if "ORCPT" in path.parameters:
        envelope.orcpt[path.address] = path.parameters["ORCPT"]


def _check_notify(value: str) -> None:
    """RFC 3461 §4.1: NEVER alone, or any of SUCCESS, FAILURE and DELAY."""
    words = value.upper().split(",")
    if words != ["NEVER"] and not (
        set(words) <= {"SUCCESS", "FAILURE", "DELAY"} and len(set(words)) == len(words)
    ):
        raise BadPath("501 5.5.4 NOTIFY is NEVER, or some of SUCCESS, FAILURE and DELAY")
