"""A role's file is replaced whole or not at all, and keeps what it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mailrouter.config.atomic_write import (
    CannotWrite,
    ChangedMeanwhile,
    draft,
    replace_private,
    replacing,
    role_path,
)

BEFORE, AFTER = b"before\n", b"after\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file in a folder of its own."""
    path = tmp_path / "roles" / "vp-hr.yaml"
    path.parent.mkdir()
    path.write_bytes(BEFORE)
    return path


def test_it_is_new_after_publishing_and_not_before(file: Path) -> None:
    """The draft is no role's file meanwhile, and is gone afterwards."""
    made = draft(file, BEFORE, AFTER)
    assert file.read_bytes() == BEFORE
    assert [path.name for path in file.parent.iterdir() if not path.name.startswith(".")] == ["vp-hr.yaml"]
    made.publish()
    assert file.read_bytes() == AFTER
    assert list(file.parent.iterdir()) == [file]


def test_a_draft_can_be_taken_away(file: Path) -> None:
    """Nothing is left of it."""
    draft(file, BEFORE, AFTER).discard()
    assert list(file.parent.iterdir()) == [file]
    assert file.read_bytes() == BEFORE


def test_mode_and_owner_stay(file: Path) -> None:
    """Whatever the umask."""
    file.chmod(0o664)
    if os.geteuid() == 0:
        os.chown(file, 12345, 23456)
    known = file.stat()
    before = os.umask(0o077)
    try:
        draft(file, BEFORE, AFTER).publish()
    finally:
        os.umask(before)
    now = file.stat()
    assert (now.st_mode, now.st_uid, now.st_gid) == (known.st_mode, known.st_uid, known.st_gid)
    assert now.st_ino != known.st_ino


def test_a_symbolic_link_stays_one(file: Path, tmp_path: Path) -> None:
    """The file that it leads to is replaced, in its own folder."""
    link = tmp_path / "link.yaml"
    link.symlink_to(Path("roles") / "vp-hr.yaml")
    draft(link, BEFORE, AFTER).publish()
    assert link.is_symlink()
    assert file.read_bytes() == AFTER


@pytest.mark.parametrize("when", ["before the draft", "after it"])
def test_what_somebody_else_wrote_is_not_overwritten(file: Path, when: str) -> None:
    """Bytes are compared, twice."""
    if when == "before the draft":
        file.write_bytes(b"theirs\n")
        with pytest.raises(ChangedMeanwhile):
            draft(file, BEFORE, AFTER)
    else:
        made = draft(file, BEFORE, AFTER)
        file.write_bytes(b"theirs\n")
        with pytest.raises(ChangedMeanwhile):
            made.publish()
        made.discard()
    assert file.read_bytes() == b"theirs\n"
    assert list(file.parent.iterdir()) == [file]


def test_a_read_only_file_is_told_with_what_it_can_do(file: Path) -> None:
    """Root is stopped by it too: somebody meant it."""
    file.chmod(0o444)
    with pytest.raises(
        CannotWrite, match=r"vp-hr.yaml can't be written here.*IT can let the service write it"
    ):
        draft(file, BEFORE, AFTER)
    assert list(file.parent.iterdir()) == [file]


def test_another_user_can_not_write_it(file: Path) -> None:
    """In a folder that isn't theirs, as a service beside the partners' file."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    code = (
        "import os,sys; from pathlib import Path\n"
        "from mailrouter.config.atomic_write import draft\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: draft(Path(sys.argv[1]), b'before\\n', b'after\\n')\n"
        "except Exception as e: print(type(e).__name__, e)\n"
    )
    for folder in (file.parent, *file.parents[1:4]):
        folder.chmod(folder.stat().st_mode | 0o055)
    file.chmod(0o666)
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout.startswith("CannotWrite"), done.stderr
    assert file.read_bytes() == BEFORE
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_is_gone_is_told(file: Path) -> None:
    """Not made anew."""
    file.unlink()
    with pytest.raises(CannotWrite, match="isn't where it was"):
        draft(file, BEFORE, AFTER)
    assert list(file.parent.iterdir()) == []


def test_a_full_disk_leaves_nothing(file: Path) -> None:
    """Written under a limit on file size, which fails in the middle as a full disk does."""
    code = (
        "import resource,signal,sys; from pathlib import Path\n"
        "from mailrouter.config.atomic_write import draft\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: draft(Path(sys.argv[1]), b'before\\n', b'x' * 100000)\n"
        "except Exception as e: print(type(e).__name__, e)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout.startswith("CannotWrite"), done.stderr
    assert list(file.parent.iterdir()) == [file]
    assert file.read_bytes() == BEFORE


def test_a_left_draft_is_no_hindrance(file: Path) -> None:
    """A crash leaves one behind; the next takes its place."""
    draft(file, BEFORE, b"lost\n")
    draft(file, BEFORE, AFTER).publish()
    assert file.read_bytes() == AFTER
    assert list(file.parent.iterdir()) == [file]


def test_files_of_our_own_are_private(tmp_path: Path) -> None:
    """Mode 0600, whatever was there."""
    path = tmp_path / "good.yaml"
    path.write_bytes(b"old")
    replace_private(path, AFTER)
    assert path.read_bytes() == AFTER
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_error_while_a_file_is_written_leaves_the_old_one(tmp_path: Path) -> None:
    """And nothing beside it."""
    path = tmp_path / "backup.tar"
    path.write_bytes(BEFORE)

    def fail() -> None:
        with replacing(path) as file:
            file.write(AFTER)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == BEFORE
    assert list(tmp_path.iterdir()) == [path]


def test_whoever_makes_a_file_second_keeps_the_first_ones(tmp_path: Path) -> None:
    """As two services that start together make one key."""
    path = tmp_path / "key"
    with replacing(path, keep=True) as late:
        late.write(AFTER)
        with replacing(path.with_name("other")) as other:
            other.write(BEFORE)
        path.with_name("other").rename(path)
    assert path.read_bytes() == BEFORE
    assert list(tmp_path.iterdir()) == [path]


def test_what_root_writes_is_the_folders_owners(tmp_path: Path) -> None:
    """Or the service could not read its key; a backup stays root's, since it holds all mail."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(tmp_path, 65534, 65534)
    replace_private(tmp_path / "key", AFTER)
    with replacing(tmp_path / "backup", share=False) as file:
        file.write(AFTER)
    assert (tmp_path / "key").stat().st_uid == 65534
    assert (tmp_path / "backup").stat().st_uid == 0
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_the_ending_of_a_role_file(tmp_path: Path) -> None:
    """As it is there; ``.yaml`` where none is."""
    (tmp_path / "roles").mkdir()
    (tmp_path / "roles" / "a.yml").touch()
    assert role_path(tmp_path, "a").name == "a.yml"
    assert role_path(tmp_path, "b").name == "b.yaml"
