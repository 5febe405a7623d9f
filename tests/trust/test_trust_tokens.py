"""Return-path tokens: made here, read here, and by nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.trust.tokens import (
    LENGTH,
    LONGEST_LOCAL_PART,
    LONGEST_ROLE,
    VALID_DAYS,
    TokenError,
    make,
    read,
    return_path,
    token_of,
)

KEY, OTHER = b"k" * 32, b"o" * 32
TODAY = 20_780
DELIVERIES = st.integers(0, 2**63 - 1)
DAYS = st.integers(0, 2**17 - 1 - VALID_DAYS)
KEYS = st.binary(min_size=1, max_size=64)
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def reason(keys: list[bytes], token: str, today: int) -> str:
    """Why the token is refused."""
    with pytest.raises(TokenError) as refused:
        read(keys, token, today)
    return refused.value.reason


@given(KEYS, DELIVERIES, DAYS, st.integers(0, VALID_DAYS))
def test_a_token_gives_its_delivery_back_for_as_long_as_it_is_valid(
    key: bytes, delivery: int, day: int, age: int
) -> None:
    """Whatever was put in comes out, on each of its days, under the same key."""
    token = make(key, delivery, day)
    assert len(token) == LENGTH
    assert set(token) <= set(ALPHABET)
    assert read([key], token, day + age) == delivery


@given(DELIVERIES, DAYS, st.integers(0, LENGTH * 5 - 1))
def test_any_flipped_bit_is_refused(delivery: int, day: int, bit: int) -> None:
    """Each of the 140 bits of a token counts."""
    token = make(KEY, delivery, day)
    place, power = divmod(bit, 5)
    letter = ALPHABET[ALPHABET.index(token[place]) ^ 1 << power]
    assert reason([KEY], token[:place] + letter + token[place + 1 :], day) == "forged"


@given(DELIVERIES, st.lists(st.booleans(), min_size=LENGTH, max_size=LENGTH))
def test_folding_case_does_no_harm(delivery: int, upper: list[bool]) -> None:
    """Servers on the way may write any letter in the other case."""
    token = make(KEY, delivery, TODAY)
    folded = "".join(c.upper() if up else c for c, up in zip(token, upper, strict=True))
    assert read([KEY], folded, TODAY) == delivery


@given(DELIVERIES, DAYS, st.integers(VALID_DAYS + 1, 10_000))
def test_an_old_token_is_expired(delivery: int, day: int, age: int) -> None:
    """After its days a token is refused, and the reason says that it was ours."""
    assert reason([KEY], make(KEY, delivery, day), day + age) == "expired"


def test_another_key_is_refused_and_old_keys_still_read() -> None:
    """A key nobody here has is a forgery; a key that was replaced is still known."""
    token = make(OTHER, 7, TODAY)
    assert reason([KEY], token, TODAY) == "forged"
    assert reason([], token, TODAY) == "forged"
    assert read([KEY, OTHER], token, TODAY) == 7


def test_an_old_forgery_is_a_forgery() -> None:
    """Who can't make a token learns nothing of its age."""
    assert reason([KEY], make(OTHER, 7, TODAY - 100), TODAY) == "forged"


@pytest.mark.parametrize(
    "token", ["", "b", "a" * 27, "a" * 29, "1" * 28, "ſ" * 28, "a" * 27 + "é", "a" * 27 + "\n"]
)
def test_what_is_no_token_is_malformed(token: str) -> None:
    """Wrong lengths and letters are told apart from forgeries; nothing folds into the alphabet."""
    assert reason([KEY], token, TODAY) == "malformed"


@given(st.text(max_size=60), st.integers(0, 2**17))
def test_no_text_is_read_as_a_token(text: str, today: int) -> None:
    """Whatever stands there, the answer is a reason."""
    assert reason([KEY], text, today) in ("malformed", "forged")


@pytest.mark.parametrize(
    ("delivery", "day"),
    [(-1, 0), (2**63, 0), (0, -1), (0, 2**17)],
    ids=["id<0", "id big", "day<0", "day big"],
)
def test_numbers_that_do_not_fit_are_refused(delivery: int, day: int) -> None:
    """A token never holds half a number."""
    with pytest.raises(ValueError, match="does not fit"):
        make(KEY, delivery, day)


def test_a_token_from_a_clock_ahead_of_ours_is_read() -> None:
    """Two nodes' clocks may stand on two sides of midnight."""
    assert read([KEY], make(KEY, 9, TODAY + 1), TODAY) == 9


def test_a_token_needs_a_key() -> None:
    """An empty key would be no key at all."""
    with pytest.raises(ValueError, match="key"):
        make(b"", 1, TODAY)


@given(st.from_regex(rf"[a-z][a-z0-9._-]{{0,{LONGEST_ROLE - 1}}}", fullmatch=True), DELIVERIES)
def test_a_return_path_fits_and_gives_its_token_back(local: str, delivery: int) -> None:
    """A role's local part of up to 32 octets stands in the path before the token, at most 64 octets long."""
    token = make(KEY, delivery, TODAY)
    path = return_path(f"{local}@example.test", token)
    assert path == f"{local}+b-{token}@example.test"
    assert len(path.partition("@")[0]) <= LONGEST_LOCAL_PART
    assert token_of(path) == token_of(path.upper()) == token


def test_a_long_role_falls_back_to_the_return_domain() -> None:
    """With a domain of our own the token alone is enough; without one the configuration is to blame."""
    token = make(KEY, 1, TODAY)
    role = "r" * (LONGEST_ROLE + 1) + "@example.test"
    path = return_path(role, token, "roles.example.test")
    assert path == f"b-{token}@roles.example.test"
    assert token_of(path) == token
    with pytest.raises(ValueError, match="return_domain"):
        return_path(role, token)


def test_a_return_domain_takes_the_place_of_the_role_domain() -> None:
    """Short roles keep their name there, so that people see whose bounce it is."""
    token = make(KEY, 1, TODAY)
    assert return_path("hr@example.test", token, "r.test") == f"hr+b-{token}@r.test"


def test_a_quoted_local_part_stays_quoted() -> None:
    """The token goes inside the quotes (RFC 5321 §4.1.2)."""
    token = make(KEY, 1, TODAY)
    path = return_path('"vp hr"@example.test', token)
    assert path == f'"vp hr+b-{token}"@example.test'
    assert token_of(path) == token


@pytest.mark.parametrize(
    ("address", "token"),
    [
        ("vp-hr@example.test", None),
        ("vp-hr+handoff@example.test", None),
        ("b-smith@example.test", None),
        ("vp-hr+b-@example.test", ""),
        ("vp-hr+b-nonsense@example.test", "nonsense"),
        ("prvs=0123abcdef=vp-hr+b-nonsense@example.test", "nonsense"),
        ("", None),
        ("b-" + "a" * 28, None),
    ],
)
def test_only_return_paths_have_tokens(address: str, token: str | None) -> None:
    """After +b- anything is for the reader to refuse; a name that begins with b- is somebody's name."""
    assert token_of(address) == token
