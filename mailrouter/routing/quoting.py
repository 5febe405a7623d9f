"""Structured header values without what is only said: comments and quoted strings (RFC 5322 §3.2). Pure.

Each value is read once from left to right; expressions that look for a closing quote from every opening one
would take a stranger's header quadratic time.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r'\\.|["()]|[^\\"()]+|\\', re.S)


def outside(text: str) -> str | None:
    """``text`` without comments, and without the inside of quoted strings.

    None where a quote or a comment is not closed, or closed twice: nobody knows then what stands outside.

    >>> outside('"Doe, Jane" (at home (again)) <jane@example.test>')
    '""   <jane@example.test>'
    """
    found: list[str] = []
    depth, quoted = 0, False
    for match in _TOKEN.finditer(text):
        token = match[0]
        if quoted:
            quoted = token != '"'
            if not quoted:
                found.append(token)
        elif depth:
            depth += (token == "(") - (token == ")")
        elif token == "(":
            depth = 1
            found.append(" ")
        elif token == ")" or token[0] == "\\":
            return None
        else:
            quoted = token == '"'
            found.append(token)
    return None if depth or quoted else "".join(found)
