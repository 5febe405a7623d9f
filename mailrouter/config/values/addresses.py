"""Addresses, domains and host names as typed, checked and normalised.

A domain is kept in its ASCII form (RFC 5890 A-labels): that is how it stands in an envelope and in DNS. A
local part may hold any letter (RFC 6531). Nothing is looked up: a mailbox that exists only inside is as good
as any.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

from mailrouter.address import canonical
from mailrouter.config.values.errors import Wrong, shown

# Names that never leave the house (RFC 6761, RFC 6762): fine here, refused by the library that checks syntax.
_PRIVATE = ("local", "localhost")
_RESERVED = (*_PRIVATE, "alt", "arpa", "example", "internal", "invalid", "onion")
_PLAIN = re.compile(
    r"([a-z0-9]+(?:[._+-][a-z0-9]+)*)@(?:[a-z0-9](?:-?[a-z0-9]){0,30}\.)+([a-z]{2,24})", re.IGNORECASE
)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)


def email(text: str, dotless: Container[str] = ()) -> str:
    """The canonical form of an address. Raises Wrong.

    A domain without a dot is accepted only where IT has listed it (``dotless``: the written ``our_domains``)
    or it is ``localhost``: then an intranet's name is meant, where it would otherwise be half an address.
    """
    if plain_address(text):
        return canonical(text)
    from email_validator import EmailNotValidError, validate_email

    local, at, domain = text.rpartition("@")
    if not at:
        raise Wrong(f"{shown(text)} is not a mail address", "it needs an @, as in laurie@example.com")
    if "<" in text or text.lower().startswith("mailto:"):
        raise Wrong("only the address belongs here, without name or brackets", "as in laurie@example.com")
    head, dot, last = domain.rpartition(".")
    private = last.lower() if last.lower() in _PRIVATE else ""
    checked = head + dot + "test" if private else domain
    try:
        found = validate_email(
            f"{local}@{checked}",
            check_deliverability=False,
            test_environment=True,
            globally_deliverable=False,
            allow_quoted_local=True,
        )
    except EmailNotValidError as error:
        reason = str(error).rstrip(".")
        raise Wrong(f"{shown(text)} is not a mail address: {reason[:1].lower()}{reason[1:]}") from None
    name = found.ascii_domain
    if private:
        name = name.removesuffix("test") + private
    if "." not in name and name != "localhost" and name not in dotless:
        raise Wrong(
            f"`{shown(domain)}` has no dot, so it looks like half a domain",
            "if it is right, list it under our_domains in mailrouter.yaml",
            offset=len(local) + 1,
        )
    return canonical(f"{found.local_part}@{name}")


def plain_address(text: str) -> bool:
    """Whether this is an address beyond doubt: nine in ten are, and the library takes 0.07 ms to say so.

    Letters, digits and single dots, hyphens, underscores or plus signs between them; a domain of two labels or more,
    none of them an A-label, whose last is of letters and not reserved (RFC 6761, 7686, 9476).
    """
    found = _PLAIN.fullmatch(text)
    return bool(found and len(found[1]) <= 64 and len(text) <= 254 and found[2].lower() not in _RESERVED)


def role_address(text: str, dotless: Container[str] = ()) -> str:
    """An address a role can have: it must leave room for sub-addresses (RFC 5233). Raises Wrong."""
    address = email(text, dotless)
    local = address.rpartition("@")[0]
    if "+" in local:
        hint = f"use {shown(local.partition('+')[0])}@…: what follows a + is kept for handoffs and bounces"
        raise Wrong("a role's address can't have a + in it", hint, offset=max(text.find("+"), 0))
    if local.startswith('"'):
        raise Wrong("a role's address can't need quotes", "use letters, digits, dots and hyphens")
    if len(local.encode()) > 64:  # RFC 5321 §4.5.3.1.1
        raise Wrong("the part before the @ is longer than 64 characters", "choose a shorter address")
    return address


def domain(text: str) -> str:
    """A domain in lower-case ASCII form. Raises Wrong."""
    if "@" in text:
        raise Wrong(f"{shown(text)} is an address, not a domain", f"write {shown(text.rpartition('@')[2])}")
    return host_name(text.removesuffix("."), "a domain")


def host_name(text: str, called: str = "a host name") -> str:
    """A host name in lower-case ASCII form (RFC 1123 §2.1). Raises Wrong."""
    ascii_name = ascii_domain(text)
    labels = ascii_name.split(".")
    if len(ascii_name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Wrong(f"{shown(text)} is not {called}", "as in mail.example.com")
    return ascii_name


def ascii_domain(text: str) -> str:
    """``text`` with Unicode labels made A-labels, lower case; unchanged where that can't be done."""
    if text.isascii():
        return text.lower()
    import idna

    try:
        return idna.encode(unicodedata.normalize("NFC", text), uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return text.lower()


def comparable(address: str) -> str:
    """Any address in the form the configuration keeps addresses in: NFC, ASCII domain, lower case."""
    if address.isascii():
        return canonical(address)
    local, at, name = unicodedata.normalize("NFC", address).rpartition("@")
    return canonical(local + at + ascii_domain(name))
