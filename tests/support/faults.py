"""Faults of the machine, made for real and taken back whatever happens: small disks, refused and slow writes, power cuts.

Mounts need root; refused and slow writes need strace, which changes what the kernel answers to a running process.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

_CAN: dict[str, str] = {}
_SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN ..."""
_NO_FLUSH = 2
"""... with nothing written any more, not even the log: what a power cut leaves."""


def no_mounts() -> str:
    """Why no file system of our own can be mounted here; empty where it can."""
    if "mounts" not in _CAN:
        _CAN["mounts"] = _try_mount()
    return _CAN["mounts"]


def no_strace() -> str:
    """Why no other process's system calls can be changed here; empty where they can."""
    if "strace" not in _CAN:
        _CAN["strace"] = _try_strace()
    return _CAN["strace"]


def _try_mount() -> str:
    if os.geteuid() != 0 or not shutil.which("mount") or not shutil.which("mkfs.ext4"):
        return "file systems of our own need root, mount and mkfs.ext4 (Debian: e2fsprogs)"
    with tempfile.TemporaryDirectory() as folder:
        try:
            with Disk(Path(folder) / "disk", 8):
                return ""
        except (OSError, subprocess.CalledProcessError) as error:
            return f"this machine mounts no loop device: {error}"


def _try_strace() -> str:
    if shutil.which("strace") is None:
        return "strace is not installed (Debian: apt-get install strace)"
    with subprocess.Popen(["sleep", "30"]) as process:
        try:
            with refused(process.pid, "EROFS", []):
                return ""
        except RuntimeError as error:
            return f"strace can't attach to a process here: {error}"
        finally:
            process.kill()


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int = 6) -> Iterator[Path]:
    """A tmpfs of this size at ``folder``; unmounted at the end, also under processes that still use it."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        _unmount(folder)


def _unmount(folder: Path) -> None:
    if subprocess.run(["umount", folder], capture_output=True).returncode:
        subprocess.run(["umount", "--lazy", folder], check=True, capture_output=True)


def fill(folder: Path) -> Path:
    """Write a file until the disk under ``folder`` has no room; gives the file. Take it away to have room again."""
    filler = folder / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for size in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    os.write(descriptor, bytes(size))
    finally:
        os.close(descriptor)
    return filler


class Disk:
    """An ext4 of this size in a file beside ``folder``, mounted at ``folder`` while the context lasts."""

    def __init__(self, folder: Path, megabytes: int = 64) -> None:
        self.folder = folder
        self._image = folder.with_name(folder.name + ".image")
        self._megabytes = megabytes

    def __enter__(self) -> Disk:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._image.open("wb") as image:
            image.truncate(self._megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", self._image], check=True, capture_output=True)
        self.mount()
        return self

    def __exit__(self, *_: object) -> None:
        if os.path.ismount(self.folder):
            _unmount(self.folder)
        self._image.unlink(missing_ok=True)

    def mount(self) -> None:
        """Mount it; its own log is replayed, as after a crash."""
        subprocess.run(
            ["mount", "-o", "loop,errors=remount-ro", self._image, self.folder],
            check=True,
            capture_output=True,
        )

    def unmount(self) -> None:
        """Take it away; nobody may use it any more."""
        subprocess.run(["umount", self.folder], check=True, capture_output=True)

    def cut_power(self) -> None:
        """From now on nothing reaches the disk, and what was not synced never will."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, _NO_FLUSH.to_bytes(4, "little"))
        finally:
            os.close(descriptor)

    def find_fault(self) -> bool:
        """Have the kernel find a fault: it goes read-only until it was checked. False where this kernel has no way."""
        source = subprocess.run(
            ["findmnt", "-no", "SOURCE", self.folder], check=True, capture_output=True, text=True
        ).stdout.strip()
        trigger = Path("/sys/fs/ext4") / Path(source).name / "trigger_fs_error"
        if not trigger.exists():
            return False
        trigger.write_text("a fault made by a test")
        return True

    def check(self) -> None:
        """What an operator does after a fault: unmount, fsck, mount."""
        self.unmount()
        done = subprocess.run(["fsck.ext4", "-fy", self._image], capture_output=True, text=True)
        if done.returncode not in (0, 1):
            raise RuntimeError(done.stdout)
        self.mount()


@contextlib.contextmanager
def refused(
    pid: int, error: str, paths: Sequence[Path], calls: str = "pwrite64,fdatasync,fsync,ftruncate"
) -> Iterator[None]:
    """While it lasts, each of these system calls of the process on ``paths`` (on any, where there are none) fails with
    ``error``, as on a disk remounted read-only with EROFS."""
    assert error in errno.errorcode.values()
    with _strace(pid, f"{calls}:error={error}", calls, paths):
        yield


@contextlib.contextmanager
def slow(pid: int, seconds: float, paths: Sequence[Path], calls: str = "fdatasync,fsync") -> Iterator[None]:
    """While it lasts, each of these system calls takes so much longer."""
    with _strace(pid, f"{calls}:delay_enter={int(seconds * 1_000_000)}", calls, paths):
        yield


@contextlib.contextmanager
def _strace(pid: int, inject: str, calls: str, paths: Sequence[Path]) -> Iterator[None]:
    words = [
        "strace",
        "-f",
        "-o",
        "/dev/null",
        "-p",
        str(pid),
        "-e",
        f"trace={calls}",
        "-e",
        f"inject={inject}",
    ]
    for path in paths:
        words += ["-P", str(path)]
    tracer = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    try:
        # Its lines about paths come first; it says when it has attached.
        for line in tracer.stderr:
            if "attached" in line:
                break
            if "can't" in line.lower() or "attach:" in line:
                raise RuntimeError(line.strip())
        else:
            raise RuntimeError("strace ended at once")
        yield
    finally:
        tracer.terminate()
        try:
            tracer.wait(5)
        except subprocess.TimeoutExpired:
            tracer.kill()  # it may be stuck with a thread that it delays; what it traced goes on, or is gone
            tracer.wait(30)
        tracer.stderr.close()
