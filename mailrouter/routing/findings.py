"""A trusted mail server's findings about a message (RFC 8601). Pure.

Anybody can write an Authentication-Results field. The server's own stands on top of what the sender sent, so these
are counted: fields of the configured authserv-id, from the topmost on, as long as one follows the other; none below a
Received field that none of our servers wrote; and none at all where a field that may be meant as the server's can't
be read, for nothing below it is believed in its place.

Some servers write one field for each method, so the word on DMARC may stand in a lower one. Sure are those above the
Received field of the server at the border, and always the topmost. In another one ``dmarc=pass`` is believed only if a
sure one has what DMARC rests on, a pass of SPF or DKIM for the author's domain: a server that writes a field for DKIM
alone, and leaves the sender's fields in, has not said more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mailrouter.address import domain_of
from mailrouter.message.head import Head
from mailrouter.message.provenance.auth_results import AuthResults, Result, read_results, server_of
from mailrouter.message.provenance.hops import Provenance

_FIELD = "authentication-results"
_MOST_FIELDS = 50
_MOST_OCTETS = 16 * 1024
"""Of all fields that are read to find the server's own: what more there is, is not the server's."""
_MOST_DOMAIN = 253


@dataclass(frozen=True, slots=True)
class Findings:
    """The fields of our own mail server that count, topmost first; the first ``sure`` of them are its own for certain."""

    fields: tuple[AuthResults, ...] = ()
    sure: int = 0

    @property
    def dmarc(self) -> str:
        """The word on DMARC of the topmost field that has one; ``""`` for none."""
        return next((result.word for field in self.fields for result in field.of("dmarc")), "")

    def dmarc_pass(self, domain: str) -> bool:
        """Whether the server found that From is of ``domain``: one word on DMARC, which is pass, and is about it."""
        place = next((n for n, field in enumerate(self.fields) if field.of("dmarc")), None)
        if place is None or any(len(field.of("dmarc")) > 1 for field in self.fields):
            return False
        found = [result for field in self.fields for result in field.of("dmarc")]
        if any(result.word != "pass" or result.version != 1 for result in found):
            return False
        about = [name for result in found for name in result.named("header.from", ".d")]
        if any(_plain(name) != _plain(domain) for name in about):
            return False
        return place < self.sure or any(_rests_on(field, domain) for field in self.fields[: self.sure])

    def spf_pass(self, domain: str) -> bool:
        """Whether the hop itself was one of the domain's: SPF passed for a reverse-path in it that nobody rewrote."""
        found = [r for field in self.fields[: self.sure] for r in field.of("spf") if _paths(r)]
        return len(found) == 1 and _spf(found[0], domain)

    def signed_in(self, our_domains: Collection[str]) -> bool:
        """Whether the sender logged in as one of ours (RFC 4954)."""
        found = [result for field in self.fields[: self.sure] for result in field.of("auth")]
        if len(found) != 1 or found[0].word != "pass" or found[0].version != 1:
            return False
        who = (domain_of(name.strip("<>")) for name in found[0].named("smtp.auth", "smtp.mailfrom"))
        return all(not name or name in our_domains for name in who)


NO_FINDINGS = Findings()
"""Of a mail that no server of ours says anything about."""


def findings(head: Head, authserv_id: str | None, way: Provenance | None = None) -> Findings:
    """The findings of ``authserv_id``'s server on a mail. It came this ``way``; None where nothing is known of it."""
    if not authserv_id or not head.has(_FIELD):
        return NO_FINDINGS
    found = list(_own(head, authserv_id.lower(), way.below if way else None))
    certain = sum(place < way.above for place, _ in found) if way else 0
    return Findings(tuple(field for _, field in found), max(certain, 1) if found else 0)


def may_be_aligned(one: str, other: str) -> bool:
    """Whether DMARC might align two domains (RFC 7489 §3.1.1). Public suffixes don't matter."""
    first, second = (_plain(name).split(".")[-2:] for name in (one, other))
    return first == second


def is_rewritten(path: str) -> bool:
    """Whether a reverse-path may be rewritten, and so nobody's mailbox. SRS, BATV, VERP and ``a%b`` rewrite."""
    return not set("=%!").isdisjoint(path.rpartition("@")[0])


def _own(head: Head, ours: str, below: int | None) -> Iterator[tuple[int, AuthResults]]:
    """The fields that count with their places, topmost first."""
    begun, room = False, _MOST_OCTETS
    places = [place for place, field in enumerate(head.fields[:below]) if field.name == _FIELD]
    for place in places[:_MOST_FIELDS]:
        name, start, end = head.fields[place]
        written, _, value = head.raw[start:end].removesuffix(b"\r\n").partition(b":")
        room -= len(value)
        if room < 0:
            return
        server = server_of(value)
        if server is not None and server.rstrip(".") != ours.rstrip("."):
            if begun:
                return
            continue
        # Space before the colon is obsolete (RFC 5322 §4.5): a server may have overlooked such a field.
        read = read_results(value) if len(written) == len(name) else None
        server = read.server if read else server
        if server is None or server.rstrip(".") == ours.rstrip("."):
            if read is None or read.version != 1 or server != ours:
                return
            begun = True
            yield place, read
        elif begun:
            return


def _rests_on(field: AuthResults, domain: str) -> bool:
    signed = (name for result in field.of("dkim") if result.word == "pass" for name in _signers(result))
    return any(_within(name, domain) for name in signed) or any(_spf(r, domain) for r in field.of("spf"))


def _signers(result: Result) -> tuple[str, ...]:
    return result.named("header.d") or tuple(map(domain_of, result.named("header.i")))


def _paths(result: Result) -> tuple[str, ...]:
    return result.named("smtp.mailfrom", "smtp.mail", "smtp.mfrom")


def _spf(result: Result, domain: str) -> bool:
    paths = _paths(result)
    if result.word != "pass" or len(paths) != 1:
        return False
    path = paths[0].strip("<>")
    return not is_rewritten(path) and _within(domain_of(path) or path, domain)


def _within(name: str, domain: str) -> bool:
    """Whether one is the other, or lies in it; a top-level domain alone holds nobody."""
    name, domain = _plain(name), _plain(domain)
    shorter = min(name, domain, key=len)
    return name == domain or ("." in shorter and (name.endswith(f".{domain}") or domain.endswith(f".{name}")))


def _plain(domain: str) -> str:
    """A domain as it is compared: of an address its domain; lower case, A-labels, no last dot."""
    name = (domain_of(domain.strip("<>")) or domain.lower()).removesuffix(".")
    if name.isascii() or len(name) > _MOST_DOMAIN:
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name
