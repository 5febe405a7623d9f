"""The text after DATA: where it ends, and without its dot-stuffing. Pure.

The end is CRLF "." CRLF and nothing else (RFC 5321 §4.1.1.4). Servers that took LF "." LF, or a mixture, for
the end let one message smuggle another one past the next server.
"""

from __future__ import annotations

_END = b"\r\n.\r\n"


class DottedReader:
    """A reader that unstuffs content block by block (RFC 5321 §4.5.2).

    ``done`` once the end was seen; ``rest`` holds what came after it (the next commands of a pipelining
    client).
    """

    def __init__(self) -> None:
        self.done = False
        self.rest = b""
        # The text starts a line: with a CRLF before it, an end or a stuffed dot at its start needs no case of
        # its own.
        self._held = b"\r\n"
        self._virtual = 2

    def feed(self, block: bytes) -> bytes:
        """The content that is certain by now; a few bytes may be held back until the next block."""
        data = self._held + block
        dot = data.find(b"\r\n.")
        end = data.find(_END, dot) if dot >= 0 else -1
        if end >= 0:
            self.done = True
            self.rest = data[end + len(_END) :]
            content = data[: end + 2]
        else:
            # Hold back whatever could still turn into the end, from the CR that begins it.
            cut = len(data)
            tail = data.rfind(b"\r", max(0, cut - 4))
            while tail >= 0 and _END.startswith(data[tail:]):
                cut = tail
                tail = data.rfind(b"\r", max(0, len(data) - 4), tail)
            self._held = data[cut:]
            content = data[:cut]
        if 0 <= dot != end:  # else no line of it begins with a dot
            content = content.replace(b"\r\n.", b"\r\n")
        if self._virtual and len(content) >= self._virtual:
            content = content[self._virtual :]
            self._virtual = 0
        return content


def stuff(content: bytes, at_line_start: bool = True) -> bytes:
    """``content`` with its dots doubled at the start of lines. Blocks must not end between CR and LF or a
    line's start and its dot; ``at_line_start`` tells whether the block before ended with CRLF."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if at_line_start and stuffed.startswith(b".") else stuffed
