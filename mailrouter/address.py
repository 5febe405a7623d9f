"""Mail addresses as facts: splitting, comparing, sub-addresses. Pure.

Comparison folds case on both sides of the ``@``: RFC 5321 §2.4 lets a local part be case-sensitive, but no
server that people meet makes use of it, and a role that answers only to one spelling would lose mail.
"""

from __future__ import annotations

from mailrouter.caching import cached_by_text


def domain_of(address: str) -> str:
    """The domain of ``address`` in lower case, or ``""`` where there is none."""
    return address.rpartition("@")[2].lower() if "@" in address else ""


@cached_by_text(4096)
def canonical(address: str) -> str:
    """``address`` as it is compared and stored in keys: lower case, a quoted local part without needless quotes.

    >>> canonical('"Jane"@Example.TEST')
    'jane@example.test'
    """
    local, at, domain = address.strip().rpartition("@")
    if len(local) > 2 and local[0] == local[-1] == '"':
        bare = local[1:-1]
        if all(c.isalnum() or c in "!#$%&'*+-/=?^_`{|}~." for c in bare) and ".." not in bare:
            local = bare
    return (local + at + domain).lower()


@cached_by_text(4096)
def split_tag(address: str) -> tuple[str, str]:
    """The address without its sub-address, and the sub-address (RFC 5233), both canonical.

    >>> split_tag("VP-HR+handoff@example.test")
    ('vp-hr@example.test', 'handoff')
    """
    local, at, domain = canonical(address).rpartition("@")
    base, _, tag = local.partition("+")
    return base + at + domain, tag


def with_tag(address: str, tag: str) -> str:
    """``address`` with a sub-address (RFC 5233). It stands inside the quotes where the local part stands in some.

    >>> with_tag("vp-hr@example.test", "handoff"), with_tag('"v p"@example.test', "handoff")
    ('vp-hr+handoff@example.test', '"v p+handoff"@example.test')
    """
    local, _, domain = address.rpartition("@")
    quoted = len(local) > 2 and local[0] == local[-1] == '"'
    return f'{local[:-1]}+{tag}"@{domain}' if quoted else f"{local}+{tag}@{domain}"


def mailbox_of(address: str) -> str:
    """The mailbox behind ``address``, for counting what is sent to it: without its sub-address, and at Gmail without
    dots, which mean nothing there.

    >>> mailbox_of("Bob+17@victim.test"), mailbox_of("b.o.b+x@gmail.com")
    ('bob@victim.test', 'bob@gmail.com')
    """
    base, _ = split_tag(address)
    local, at, domain = base.rpartition("@")
    if domain in ("gmail.com", "googlemail.com"):
        local, domain = local.replace(".", ""), "gmail.com"
    return local + at + domain
