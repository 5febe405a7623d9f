"""The tokens by which a partner's mailbox proves itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.address import split_tag
from mailrouter.intake.purposes import purpose_of
from mailrouter.trust import confirmations, tokens
from mailrouter.trust.confirmations import handoff_address, make, read
from mailrouter.trust.tokens import TokenError

KEY = b"k" * 32
MESSAGES = st.integers(0, (1 << 50) - 1)


@given(MESSAGES, st.sampled_from(["vp-hr", "büro"]))
def test_a_token_gives_its_message_back(message: int, role: str) -> None:
    """Whatever case it comes in, by an old key as well, and through an address."""
    token = make(KEY, role, message)
    assert len(token) == confirmations.LENGTH
    assert read([b"new", KEY], role, token.upper()) == message
    _, tag = split_tag(handoff_address("vp-hr@example.test", token))
    assert purpose_of(tag)[1] == token


@given(MESSAGES, st.integers(0, confirmations.LENGTH - 1))
def test_a_changed_token_is_not_taken(message: int, at: int) -> None:
    """One letter of it changed, another role, another key: forged."""
    token = make(KEY, "vp-hr", message)
    changed = token[:at] + ("a" if token[at] != "a" else "b") + token[at + 1 :]
    for keys, role, wrong in (([KEY], "vp-hr", changed), ([KEY], "office", token), ([b"x"], "vp-hr", token)):
        with pytest.raises(TokenError) as error:
            read(keys, role, wrong)
        assert error.value.reason == "forged"


@pytest.mark.parametrize("token", ["", "a", "a" * 21, "a" * 23, "1" * 22, "ſ" * 22, "a" * 22 + "\n"])
def test_what_has_no_tokens_form_is_malformed(token: str) -> None:
    """Nothing is computed for it."""
    with pytest.raises(TokenError) as error:
        read([KEY], "vp-hr", token)
    assert error.value.reason == "malformed"


def test_a_return_paths_token_confirms_nothing() -> None:
    """The marks of the two purposes have nothing in common."""
    number = 5
    assert confirmations._tag(KEY, "vp-hr", "a" * 10) != tokens._tag(KEY, "a" * 10)
    with pytest.raises(TokenError):
        read([KEY], "vp-hr", tokens.make(KEY, number, 1)[: confirmations.LENGTH])


@pytest.mark.parametrize(("key", "message"), [(b"", 1), (KEY, -1), (KEY, 1 << 50)])
def test_what_can_not_be_made_is_refused(key: bytes, message: int) -> None:
    """An empty key would make everybody's token."""
    with pytest.raises(ValueError, match="token"):
        make(key, "vp-hr", message)


def test_addresses_stay_within_their_limits() -> None:
    """64 octets before the @; a quoted local part stays quoted; a plain handoff address has no limit of ours."""
    token = make(KEY, "vp-hr", 7)
    assert handoff_address("vp-hr@example.test") == "vp-hr+handoff@example.test"
    assert handoff_address('"vp hr"@example.test', token) == f'"vp hr+handoff-{token}"@example.test'
    assert len(handoff_address("x" * 33 + "@example.test", token).partition("@")[0]) == 64
    with pytest.raises(ValueError, match="too long"):
        handoff_address("x" * 34 + "@example.test", token)
    assert purpose_of("handoff")[1] is None
    assert purpose_of("handoff-")[1] == ""
