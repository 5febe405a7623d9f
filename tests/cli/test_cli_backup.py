"""A backup is the service at one moment, taken while it works; a restore brings it back, and never half."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import sqlite3
import stat
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mailrouter.message.provenance.received import loop_mark
from mailrouter.store.ids import message_id_of
from mailrouter.store.sqlite.reader import StoreReader
from mailrouter.store.sqlite.schema import MIGRATIONS
from mailrouter.turns import drive
from tests.support.ports import free_port
from tests.support.programs import mailrouter
from tests.support.relay import PARTNERS, ROLE, relay, wait_until, write_configuration
from tests.support.sending import queue_id, send
from tests.support.sink import Sink

MAIL = f"From: jane@outside.test\r\nTo: {ROLE}\r\nSubject: Budget\r\n\r\nhello\r\n".encode()
HANDOFF = "Done:\n- the budget\n"


def run(config: Path, *words: str, code: int = 0) -> str:
    """What a command says."""
    done = mailrouter(*words, "--config", str(config))
    assert done.returncode == code, done.stdout + done.stderr
    return " ".join((done.stdout + done.stderr).split())


def full(folder: Path) -> tuple[Path, Path, list[str]]:
    """A service that has taken three mails and a handoff, and stopped: its configuration, a backup, the queue ids."""
    config = write_configuration(folder, f"smtp://127.0.0.1:{free_port()}")
    with relay(config) as running:
        done = mailrouter(
            "handoff", "set", "vp-hr", "--author", "laurie", "--config", str(config), given=HANDOFF
        )
        assert done.returncode == 0, done.stderr
        mails = [("jane@outside.test", ROLE, MAIL)] * 3
        ids = [queue_id(reply) for reply in send(running.port, mails, connections=1)]
        backup = folder / "backup.tar"
        said = run(config, "backup", str(backup))
    assert "3 messages (6 deliveries still to do)" in said
    return config, backup, ids


@pytest.fixture(scope="module")
def good_backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a full service, for tests that damage a copy of it."""
    return full(tmp_path_factory.mktemp("full"))[1]


@pytest.fixture
def backup(good_backup: Path, tmp_path: Path) -> Path:
    """A copy of the good backup."""
    return Path(shutil.copy(good_backup, tmp_path / "backup.tar"))


def test_a_backup_taken_under_load_has_all_that_was_accepted(tmp_path: Path) -> None:
    """Mail is sent without a pause while it is taken. What was answered 250 before it began is in it and is delivered
    after the restore; nothing in it is half."""
    port = free_port()
    config = write_configuration(tmp_path / "old", f"smtp://127.0.0.1:{port}")
    backup = tmp_path / "backup.tar.gz"
    accepted: list[str] = []
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            accepted.extend(queue_id(r) for r in send(running.port, [("jane@outside.test", ROLE, MAIL)] * 20))

    with relay(config) as running:
        threads = [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: len(accepted) >= 100, what="some mail")
            before = list(accepted)
            run(config, "backup", str(backup))
            after = len(accepted)
            wait_until(lambda: len(accepted) > after, what="mail after it")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    fresh = tmp_path / "new" / "config"
    said = run(fresh, "restore", str(backup))
    assert "What was delivered after the backup is delivered again" in said
    store = tmp_path / "new" / "var" / "mailrouter.db"
    assert (fresh / "roles" / "vp-hr.yaml").read_text() == (config / "roles" / "vp-hr.yaml").read_text()
    reader = StoreReader(store)
    entries = {id_: drive(reader.entry(message_id_of(id_))) for id_ in before}
    assert [id_ for id_, entry in entries.items() if entry is None or len(entry.deliveries) != 2] == []
    (held,) = reader.rows("SELECT count(*) FROM message")
    (orphans,) = reader.rows("SELECT count(*) FROM message WHERE id NOT IN (SELECT id >> 20 FROM chunk)")
    reader.close()
    assert len(before) <= held[0] <= len(accepted)
    assert orphans == (0,)
    with Sink(port) as sink, relay(fresh):
        wait_until(lambda: len(sink.taken) >= 2 * held[0], seconds=60, what="everything in the backup")
        assert {to for _, to, _ in sink.taken} == set(PARTNERS)


def test_a_restored_service_is_the_service_as_it_was(tmp_path: Path) -> None:
    """Handoffs, key, configuration and queue are those of the backup, with the modes they had; what lay there is set
    aside, whole."""
    config, backup, ids = full(tmp_path)
    store, key = tmp_path / "var" / "mailrouter.db", tmp_path / "var" / "run" / "mailrouter.key"
    old_key = key.read_bytes()
    assert json.loads(run_json(config, "queue", "list", "--json"))[0]["id"] == ids[0]
    run(config, "rotate-key")
    run(config, "queue", "drop", "--all", "--yes")
    role = config / "roles" / "vp-hr.yaml"
    role.write_text(role.read_text().replace("VP Human Resources", "Somebody"))
    refused = run(config, "restore", str(backup), code=1)
    assert "Nothing was changed" in refused
    for taken in (store, key, role):
        assert str(taken) in refused
    assert "name: Somebody" in role.read_text()
    said = run(config, "restore", str(backup), "--force")
    assert "3 messages, 6 deliveries still to do" in said
    assert key.read_bytes() == old_key
    assert "name: VP Human Resources" in role.read_text()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (store, key)] == [0o600, 0o600]
    assert [entry["id"] for entry in json.loads(run_json(config, "queue", "list", "--json"))] == ids
    assert "- the budget" in run(config, "handoff", "show", "vp-hr")
    (aside,) = (path for path in store.parent.glob("mailrouter.db.before-restore-*") if path.suffix != "-wal")
    connection = sqlite3.connect(aside)
    assert connection.execute("SELECT count(*) FROM delivery WHERE state = 'withdrawn'").fetchone() == (6,)
    connection.close()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".mailrouter")]


def run_json(config: Path, *words: str) -> str:
    """What a command prints, with its line ends."""
    done = mailrouter(*words, "--config", str(config))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_is_restored_under_a_running_service(tmp_path: Path) -> None:
    """Even by force: the running service's process is named, and goes on."""
    config, backup, _ = full(tmp_path)
    with relay(config) as running:
        said = run(config, "restore", str(backup), "--force", code=1)
        assert f"in use by another mailrouter (process {running.process.pid})" in said
        assert send(running.port, [("jane@outside.test", ROLE, MAIL)])[0].startswith("250")


def test_a_backup_is_not_written_over(tmp_path: Path) -> None:
    """Only with --force; and a backup that can't be made leaves the one before it."""
    config, backup, _ = full(tmp_path)
    before = backup.read_bytes()
    assert "--force writes over it" in run(config, "backup", str(backup), code=1)
    assert "can't be made" in run(config, "backup", str(tmp_path / "nowhere" / "b.tar"), code=1)
    assert backup.read_bytes() == before
    assert "holds 3 messages" in run(config, "backup", str(backup), "--force")
    (config / "roles" / "vp-hr.yaml").write_text("role: [broken\n")
    assert "holds 3 messages" in run(config, "backup", str(backup), "--force"), (
        "a broken role is copied as it is"
    )
    assert not list(tmp_path.glob(".*.new"))
    empty = write_configuration(tmp_path / "empty")
    assert "There is no store" in run(empty, "backup", str(tmp_path / "e.tar"), code=1)
    assert not (tmp_path / "e.tar").exists()


def rewritten(backup: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """The archive with other contents, in the same order."""
    with tarfile.open(backup) as archive:
        contents = {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]
    change(contents)
    with tarfile.open(backup, "w") as archive:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def torn(contents: dict[str, bytes]) -> None:
    """One octet of the store is another."""
    contents["store.db"] = contents["store.db"][:-1] + bytes([contents["store.db"][-1] ^ 1])


def without_key(contents: dict[str, bytes]) -> None:
    """The key is missing."""
    del contents["mailrouter.key"]


def escaping(contents: dict[str, bytes]) -> None:
    """A file that wants to lie elsewhere, and says so in the manifest."""
    said = json.loads(contents["mailrouter-backup.json"])
    said["files"]["config/../../escaped"] = "00"
    contents["mailrouter-backup.json"] = json.dumps(said).encode()
    contents["config/../../escaped"] = b"x"


def unknown(contents: dict[str, bytes]) -> None:
    """A file that the manifest does not know."""
    contents["config/extra.yaml"] = b"x"


def later_form(contents: dict[str, bytes]) -> None:
    """Made by a later program."""
    said = json.loads(contents["mailrouter-backup.json"]) | {"backup": 2, "program": "9.9"}
    contents["mailrouter-backup.json"] = json.dumps(said).encode()


def no_manifest(contents: dict[str, bytes]) -> None:
    """Just any archive."""
    del contents["mailrouter-backup.json"]


@pytest.mark.parametrize(
    ("change", "words"),
    [(torn, "store.db is not what was backed up"), (without_key, "mailrouter.key is missing"),
     (escaping, "which no backup does"), (unknown, "which no backup does"), (later_form, "was made by mailrouter 9.9"),
     (no_manifest, "is not a backup"), (None, "is damaged, or no backup")],
)  # fmt: skip
def test_what_is_no_whole_backup_changes_nothing(
    tmp_path: Path, backup: Path, change: Callable[[dict[str, bytes]], None] | None, words: str
) -> None:
    """Damaged, incomplete, foreign, malicious or newer: it is said which, and nothing is written."""
    if change is None:
        backup.write_bytes(backup.read_bytes()[:5000])
    else:
        rewritten(backup, change)
    fresh = tmp_path / "new" / "config"
    assert words in run(fresh, "restore", str(backup), code=1)
    assert [path.name for path in (tmp_path / "new").iterdir()] == []
    assert not (tmp_path / "escaped").exists()


def test_a_store_of_a_newer_program_is_not_restored(tmp_path: Path, backup: Path) -> None:
    """An older program says that it can't use it, before anything is changed."""

    def newer(contents: dict[str, bytes]) -> None:
        database = tmp_path / "s.db"
        database.write_bytes(contents["store.db"])
        connection = sqlite3.connect(database)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        connection.close()
        contents["store.db"] = database.read_bytes()
        said = json.loads(contents["mailrouter-backup.json"])
        said["files"]["store.db"] = hashlib.sha256(contents["store.db"]).hexdigest()
        contents["mailrouter-backup.json"] = json.dumps(said).encode()

    rewritten(backup, newer)
    assert "written by a newer mailrouter" in run(tmp_path / "new" / "config", "restore", str(backup), code=1)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_missing_backup_is_named(tmp_path: Path) -> None:
    """A wrong name is told, not traced."""
    assert "No such file" in run(tmp_path / "config", "restore", str(tmp_path / "none.tar"), code=1)


@pytest.mark.parametrize("running", [True, False])
def test_a_key_is_rotated_with_and_without_a_service(tmp_path: Path, running: bool) -> None:
    """The next copy leaves under the new key; a bounce of one that left before is known all the same."""
    with Sink() as sink:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")
        key = tmp_path / "var" / "run" / "mailrouter.key"

        def bounce(port: int, path: str) -> str:
            raw = MAIL.replace(b"Subject: Budget", b"Subject: Undelivered\r\nX-Failed-Recipients: a@b.test")
            return send(port, [("", path, raw)])[0]

        with relay(config) as service:
            send(service.port, [("jane@outside.test", ROLE, MAIL)])
            wait_until(lambda: len(sink.taken) == 2, what="two copies")
            first = key.read_bytes()
            if running:
                assert "A new key is in force" in run(config, "rotate-key")
                after(sink, service.port, bounce)
        if not running:
            assert "A new key is in force" in run(config, "rotate-key")
            with relay(config) as service:
                after(sink, service.port, bounce)
        assert first.hex() in key.read_text()
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        # The marks of the copies differ: they were made with two keys.
        marks = {
            line
            for _, _, raw in sink.taken
            for line in raw.split(b"\r\n")
            if line.startswith(b"Mailrouter-Loop")
        }
        assert len(marks) == 2


def after(sink: Sink, port: int, bounce: Callable[[int, str], str]) -> None:
    """After the rotation: the old return path is taken, a made-up one is not, and new mail flows."""
    path = sink.taken[0][0]
    assert bounce(port, path).startswith("250")
    broken = path.replace("+b-", "+b-a")[: path.index("@") + 1] + path[path.index("@") :]
    assert bounce(port, broken).startswith("550")
    send(port, [("jane@outside.test", ROLE, MAIL)])
    wait_until(lambda: sum(b"Mailrouter-You" in raw for _, _, raw in sink.taken) == 4, what="two more copies")


def test_a_reload_takes_up_a_key_that_was_put_there(tmp_path: Path) -> None:
    """A key file that was replaced by hand is in force after SIGHUP."""
    with Sink() as sink:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")
        with relay(config) as service:
            key = tmp_path / "var" / "run" / "mailrouter.key"
            key.write_bytes(os.urandom(32))
            os.kill(service.process.pid, signal.SIGHUP)
            wait_until(lambda: "read again" in service.log.read_text(), what="the reload")
            send(service.port, [("jane@outside.test", ROLE, MAIL)])
            wait_until(lambda: len(sink.taken) == 2, what="two copies")
        mark = next(line for line in sink.taken[0][2].split(b"\r\n") if line.startswith(b"Mailrouter-Loop"))
        made = loop_mark(key.read_bytes(), ROLE)
        assert mark.decode() == f"Mailrouter-Loop: {made}"


def test_what_the_service_keeps_beside_its_key_comes_back(tmp_path: Path) -> None:
    """A role's file as it last was right (without which a broken one would keep the service from starting), the
    addresses of feeds, and the calendars as they were read; all private."""
    config, _, _ = full(tmp_path)
    role, var = config / "roles" / "vp-hr.yaml", tmp_path / "var" / "run"
    good = role.read_bytes()
    (var / "calendar-addresses.json").write_text('{"vp-hr": "abcdef"}')
    (var / "calendars").mkdir(mode=0o700, exist_ok=True)
    (var / "calendars" / "vp-hr--elaine.json").write_text("{}")
    role.write_text(role.read_text().replace("friday:", "fryday:"))
    backup = tmp_path / "second.tar"
    run(config, "backup", str(backup))
    fresh = tmp_path / "new" / "config"
    run(fresh, "restore", str(backup))
    place = tmp_path / "new" / "var" / "run"
    kept = ("good/vp-hr.yaml", "calendar-addresses.json", "calendars/vp-hr--elaine.json")
    assert (place / kept[0]).read_bytes() == good
    for name in kept:
        assert (place / name).read_bytes() == (var / name).read_bytes()
        assert stat.S_IMODE((place / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((place / "good").stat().st_mode) == 0o700
    with relay(fresh) as running:
        assert send(running.port, [("jane@outside.test", ROLE, MAIL)])[0].startswith("250")
