"""Bounds for reading what comes from outside: one bound for each kind of thing, with its reason. Pure.

A reader cuts to its bound before any expression or parser runs. What stands beyond a bound is not read; it is
passed on as it came. Sizes are octets of what was received unless the name says characters.
"""

from __future__ import annotations

HEADER = 256 * 1024
"""A header section. Large ones of real mail have 30 KB; a message with a larger one is refused."""
FIELDS = 10_000
"""Fields of a header that are told apart. A message with more than 1,000 is refused; a report is taken all the same."""
FIELDS_OF_A_NAME = 200
"""Fields of one name whose values are read. Real mail has some 30 Received, and one or two of any other."""
FIELD_NAME = 997
"""A field's name: a line has 998 octets (RFC 5322 §2.1.1), and the colon is one."""

UNSTRUCTURED = 16 * 1024
"""A value that people write, such as Subject. Mail programs show some hundred characters."""
STRUCTURED = 16 * 1024
"""A value that programs write, such as Content-Type. Long ones of real mail have 2 KB."""
ADDRESSES = 64 * 1024
"""A list of addresses: a thousand of them with names."""
ADDRESS_TOKENS = 3_000
"""Words, signs and spaces of one field's addresses, from the first that isn't in a common form: some 400 addresses."""
ADDRESS_FIELDS = 20
"""Fields of one name whose addresses are read: they may stand once each (RFC 5322 §3.6)."""
MAILBOXES = 1_000
"""Mailboxes that are read of one message's fields."""
IDS = 64 * 1024
"""A References field: a conversation of a thousand mails."""
MESSAGE_IDS = 1_000
"""Message-IDs that are read of one field."""

ENCODED_WORDS = 500
"""Encoded words of one value: with 75 octets each, more than a value may have."""
CHARSET_LABEL = 64
"""Characters of a charset's name; the longest that mean something have 22."""
CHARSET_SHIFTS = 5_000
"""Shifts between the sets of ISO-2022-JP in one text, where Python's own codec doesn't take it: two a line."""
PARAMETERS = 100
"""Parameters of one value. RFC 2231 cuts a long file name into some ten."""

LEAVES = 50
"""Leaves of a mail that are looked at for text: the text comes first, the rest are attachments."""
DEPTH = 6
"""Multiparts around a leaf. Mail programs nest four: mixed, related, alternative, signed."""
PART_HEADER = 8 * 1024
"""The header of one part: some 200 octets, and 2 KB with a long file name."""
PART_HEADERS = 128 * 1024
"""The headers of all parts of a mail together."""
PART_TEXT = 64 * 1024
"""Octets of one part that are decoded where its beginning is enough, as in a report."""
DELIMITERS = 2_000
"""Lines of a mail that begin like a boundary, where its leaves are looked for."""
DELIMITER_PADDING = 256
"""Octets behind a boundary on its line: white space that a gateway has put there."""

HTML = 400_000
"""Characters of HTML that are read as text. A handoff has 200,000 at most."""
HTML_TAGS = 10_000
"""Tags of one HTML text. Long newsletters have 5,000."""
