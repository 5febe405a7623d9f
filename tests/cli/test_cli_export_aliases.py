"""`mailrouter export-aliases`: Postfix itself reads what is printed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mailrouter import config
from mailrouter.cli import main
from mailrouter.cli.setup.export_aliases import alias_lines, virtual_lines
from mailrouter.errors import MailrouterError
from tests.config.files import ROLE, MakeFolder
from tests.support import postfix
from tests.support.ports import free_port
from tests.support.relay import wait_until
from tests.support.sending import send

OTHER = ROLE.replace("vp-hr@", "cfo@").replace("laurie@example.test", "'\"a b\"@example.test'")
NO_POSTFIX = pytest.mark.skipif(
    shutil.which("postmap") is None, reason="Postfix is not installed (Debian: apt-get install postfix)"
)


@pytest.fixture
def two_roles(folder: MakeFolder) -> Path:
    """Two roles, one of them with an alias and one with a mailbox that needs quotes."""
    return folder("", vp_hr=ROLE + "aliases: [hr-lead@example.org]\n", cfo=OTHER)


def exported(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> Path:
    """What the command prints, as a file."""
    assert main(["export-aliases", *options]) == 0
    path.write_text(capsys.readouterr().out)
    return path


def asked(command: str, table: str, key: str) -> str:
    """What Postfix finds for ``key``."""
    done = subprocess.run(
        [command, "-q", key, table], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stderr == ""
    return done.stdout.strip()


@NO_POSTFIX
def test_postfix_finds_every_address(
    two_roles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each role's address and alias leads to all its partners, in a table of the simplest type."""
    table = f"texthash:{exported(tmp_path / 'virtual', capsys)}"
    both = "laurie@example.test, elaine@example.test"
    assert asked("postmap", table, "vp-hr@example.test") == both
    assert asked("postmap", table, "hr-lead@example.org") == both
    assert asked("postmap", table, "cfo@example.test") == '"a b"@example.test, elaine@example.test'
    assert asked("postmap", table, "laurie@example.test") == ""


@NO_POSTFIX
def test_postfix_makes_a_database_of_alias_lines(
    two_roles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other format is one that postalias takes and finds the local parts in."""
    path = exported(tmp_path / "aliases", capsys, "--format", "aliases")
    kinds = subprocess.run(
        ["postconf", "-m"], capture_output=True, text=True, check=True, timeout=30
    ).stdout.split()
    kind = next(kind for kind in ("lmdb", "hash", "cdb", "btree") if kind in kinds)
    done = subprocess.run(
        ["postalias", f"{kind}:{path}"], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert asked("postalias", f"{kind}:{path}", "hr-lead") == "laurie@example.test, elaine@example.test"


@pytest.mark.skipif(not postfix.available(), reason=postfix.WHY_ABSENT)
def test_mail_goes_to_both_without_mailrouter(
    two_roles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the table in place both get the mail, even while transport_maps names a relay that is gone."""
    table = exported(tmp_path / "virtual", capsys)
    settings = {
        "transport_maps": f"inline:{{ {{vp-hr@example.test = smtp:[127.0.0.1]:{free_port()}}} }}",
        "virtual_alias_domains": "",
        "virtual_mailbox_domains": "example.test",
        "virtual_mailbox_maps": "inline:{ laurie@example.test=laurie/ elaine@example.test=elaine/"
        " vp-hr@example.test=role/ }",
    }
    server = postfix.Postfix(settings)
    # Its daemons can't look into the test's own folder.
    shutil.copy(table, server.folder / "etc/aliases")
    with (server.folder / "etc/main.cf").open("a") as main_cf:
        main_cf.write(f"virtual_alias_maps = texthash:{server.folder}/etc/aliases\n")
    with server:
        mail = b"From: jane@example.test\r\nTo: vp-hr@example.test\r\nSubject: Budget\r\n\r\nHello\r\n"
        send(server.port, [("jane@example.test", "vp-hr@example.test", mail)])
        wait_until(lambda: all(server.mails(name) for name in ("laurie", "elaine")), 20)
        assert server.mails("role") == []


def test_the_comment_says_how_to_use_it(two_roles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All else than the lines is comment, at most 80 columns wide, with the commands to type."""
    for format in ("virtual", "aliases"):
        main(["export-aliases", "--format", format])
        lines = capsys.readouterr().out.splitlines()
        comments = [line for line in lines if line.startswith("#")]
        assert any("postconf -e" in line for line in comments)
        assert "#   postfix reload" in comments
        assert len([line for line in lines if line and line not in comments]) == 3


def test_what_a_format_cant_hold_is_refused(folder: MakeFolder) -> None:
    """An alias file knows no domains, and in a virtual table # begins a comment: neither loses mail silently."""
    other = ROLE.replace("vp-hr@example.test", "VP-HR@example.org").replace("elaine@", "eva@")
    roles = config.load(folder("", a=ROLE, b=other), fqdn=lambda: "x.test").roles
    with pytest.raises(MailrouterError, match="--format virtual"):
        alias_lines(roles)
    assert len(virtual_lines(roles)) == 2
    roles = config.load(
        folder("", a=ROLE.replace("vp-hr@", "'#hr@").replace(".test\nname", ".test'\nname"), b=other)
    ).roles
    assert alias_lines(roles[:1]) == ['"#hr": laurie@example.test, elaine@example.test']
    with pytest.raises(MailrouterError, match="--format aliases"):
        virtual_lines(roles)
