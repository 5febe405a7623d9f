"""The relay's keys: made once, private, and rotated without forgetting what the one before it made."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.errors import StoreError
from mailrouter.intake.explain import in_hand
from mailrouter.intake.feedback.loops import came_back
from mailrouter.moments import DAY_MS, moment_at
from mailrouter.runtime.keys import OVERLAP_MS, Keys, keys_in, read_keys, rotate
from mailrouter.runtime.return_paths import ReturnPaths
from mailrouter.smtp.envelope import Envelope
from mailrouter.store.ids import DeliveryId
from mailrouter.trust import tokens
from mailrouter.trust.tokens import TokenError
from tests.intake.services import desk
from tests.routing.situations import read, role
from tests.support.messages import T0

DAY = DAY_MS
AS_NOBODY = """
import os, sys
from pathlib import Path
from mailrouter.errors import StoreError
from mailrouter.runtime.keys import read_keys
os.chdir(sys.argv[1])
os.setresuid(65534, 65534, 65534)
try:
    read_keys(Path("mailrouter.key"))
except StoreError as error:
    print(error)
"""


def test_a_key_is_made_once_and_is_nobodys_business(tmp_path: Path) -> None:
    """32 random octets, mode 0600, the same at the next start."""
    path = tmp_path / "run" / "mailrouter.key"
    key = read_keys(path)
    assert len(key.current) == 32
    assert key == Keys(key.current)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_keys(path) == key
    assert [file.name for file in path.parent.iterdir()] == ["mailrouter.key"]
    assert read_keys(tmp_path / "another.key") != key


@pytest.mark.parametrize("content", [b"", b"short"])
def test_a_damaged_key_is_never_replaced(tmp_path: Path, content: bytes) -> None:
    """Its owner is told what to do."""
    path = tmp_path / "mailrouter.key"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged; restore it, or remove it"):
        read_keys(path)
    assert path.read_bytes() == content


def test_a_key_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file where a folder is needed."""
    (tmp_path / "run").write_text("")
    with pytest.raises(StoreError, match="can't be used"):
        read_keys(tmp_path / "run" / "mailrouter.key")


def test_a_rotation_keeps_the_key_before_it_for_the_life_of_its_tokens(tmp_path: Path) -> None:
    """The old one is taken until its last token has ended, then no more; memories stay under the first key."""
    path = tmp_path / "mailrouter.key"
    first = read_keys(path)
    second = rotate(path, T0)
    assert second == read_keys(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert second.current != first.current
    assert second.memory == first.memory == first.current
    assert second.accepted(T0 + OVERLAP_MS - 1) == [second.current, first.current]
    assert second.accepted(T0 + OVERLAP_MS) == [second.current]
    assert OVERLAP_MS >= tokens.VALID_DAYS * DAY
    third = rotate(path, T0 + OVERLAP_MS)
    assert third.accepted(T0 + OVERLAP_MS) == [third.current, second.current], "the first is forgotten"
    assert third.memory == first.memory
    assert first.current.hex() not in path.read_text().replace(f"memory {third.memory.hex()}", "")


@given(st.binary(min_size=32, max_size=64), st.binary(min_size=32, max_size=32))
def test_a_file_of_an_older_version_is_its_one_key(content: bytes, other: bytes) -> None:
    """Whatever its octets are; so no key that is in use anywhere is lost by an upgrade."""
    if not content.startswith(b"mailrouter keys 1"):
        assert keys_in(content, Path("k")) == Keys(content)


@pytest.mark.parametrize(
    "text",
    ["", "current 00\n", "current zz\nmemory zz\n", f"current {'00' * 32}\n", f"memory {'00' * 32}\n",
     f"current {'00' * 32}\nmemory {'00' * 32}\nearlier {'00' * 32}\n",
     f"current {'00' * 32}\nmemory {'00' * 32}\nearlier {'00' * 32} until then\n",
     f"current {'00' * 32}\nmemory {'00' * 8}\n"],
)  # fmt: skip
def test_a_torn_file_of_keys_is_damaged(tmp_path: Path, text: str) -> None:
    """It is named, kept as it is, and neither read in part nor rotated."""
    path = tmp_path / "mailrouter.key"
    path.write_text("mailrouter keys 1\n" + text)
    with pytest.raises(StoreError, match="is damaged"):
        read_keys(path)
    with pytest.raises(StoreError, match="is damaged"):
        rotate(path, T0)
    assert path.read_text() == "mailrouter keys 1\n" + text


def test_a_key_that_others_may_read_is_made_private(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is mended, and the log says that it was so and what to do."""
    path = tmp_path / "mailrouter.key"
    keys = read_keys(path)
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert read_keys(path) == keys
    assert path.stat().st_mode & 0o777 == 0o600
    assert "could be read by others (mode 0644)" in caplog.text
    assert "mailrouter rotate-key" in caplog.text


def test_a_key_of_another_user_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """What can't be mended stops the start, with the command that mends it."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody else for a moment")
    path = tmp_path / "mailrouter.key"
    read_keys(path)
    path.chmod(0o644)
    tmp_path.chmod(0o755)
    said = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(tmp_path)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "can be read by others (mode 0644)" in said.stdout
    assert "chmod 600 mailrouter.key" in said.stdout


def test_what_the_old_key_made_is_known_after_a_rotation(tmp_path: Path) -> None:
    """Return paths in flight lead to their delivery, and not one made later with a key that was stolen."""
    path = tmp_path / "mailrouter.key"
    old, new = read_keys(path), rotate(path, T0)
    sent = ReturnPaths((old.current,)).of("vp-hr@example.test", DeliveryId(4711), T0)
    paths = ReturnPaths((new.current,), None, new.earlier, frozenset({"example.test"}))
    assert paths.delivery_of(sent, T0 + 20 * DAY) == 4711
    assert paths.of("vp-hr@example.test", DeliveryId(4711), T0) != sent
    forged = ReturnPaths((old.current,)).of("vp-hr@example.test", DeliveryId(4711), T0 + OVERLAP_MS)
    with pytest.raises(TokenError, match="was not made here"):
        paths.delivery_of(forged, T0 + OVERLAP_MS)


def test_conversations_and_loops_are_known_after_a_rotation() -> None:
    """Nobody gets a handoff again because of it, and a copy that comes round is still stopped."""
    before, after = desk(role()), desk(role())
    after = replace(after, keys=Keys(b"n" * 32, before.keys.memory, ((before.keys.current, T0),)), known={})
    assert after.conversation(role(), ["<1@x>"]) == before.conversation(role(), ["<1@x>"])
    head, shape = read(f"Mailrouter-Loop: {before.loop_marks['vp-hr']}\r\n\r\n".encode())
    envelope = Envelope("jane@example.test", ["vp-hr@example.test"])
    for at, found in ((T0 - 1, [role()]), (T0, [])):
        received = in_hand(after, head, shape, envelope, moment_at(at))
        assert came_back(after, received, [role()]) == found
