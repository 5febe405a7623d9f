"""What a reply says, and what may be repeated of it."""

from __future__ import annotations

import pytest

from mailrouter.smtp.meanings import meaning
from mailrouter.smtp.replies import MAX_WORDS, Reply


@pytest.mark.parametrize(
    ("reply", "brief"),
    [
        (Reply(550, "5.1.1 <laurie@x.test>: no such user"), "550 5.1.1 (no such mailbox)"),
        (Reply(451, "4.7.1 found 'Budget'"), "451 4.7.1 (not allowed by its rules)"),
        (Reply(452, "Budget"), "452 (no room)"),
        (Reply(554, "5.6.99 Budget"), "554 5.6.99 (something about the content)"),
        (Reply(550, "5.0.0 Budget"), "550 5.0.0 (it does not take it)"),
        (Reply(599, "Budget"), "599"),
        (Reply(250, "2.0.0 Budget"), "250 2.0.0"),
        (Reply(451, "4.4.2 The server closed the connection", own=True), "451 4.4.2 The server closed the connection"),
    ],
)  # fmt: skip
def test_a_log_has_the_codes_and_words_of_our_own(reply: Reply, brief: str) -> None:
    """Of what a server said, nothing but digits."""
    assert reply.brief == brief


def test_a_code_of_any_digits_has_a_meaning_or_none() -> None:
    """Never an error, whatever a server makes up."""
    for code in range(400, 600):
        for status in ("", "5.7.1", "4.999.999", "5.0.0", "5.9.9"):
            assert "  " not in meaning(code, status)


def test_a_reply_of_64_kb_is_one_short_line() -> None:
    """What is kept and told of it is bounded."""
    assert len(str(Reply(550, "word \n" * 10_000))) <= MAX_WORDS
