"""`mailrouter print-config`: what is in force and where it comes from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mailrouter import config
from mailrouter.cli import main
from mailrouter.cli.setup.print_config import as_yaml
from mailrouter.config.effective import FileInForce, Value, in_force
from mailrouter.config.folder import files_in
from tests.config.files import ROLE

RICH = (
    ROLE.replace("rota:\n  monday: laurie\n", "")
    + """\
hours: 08:30-16:30
rota:
  starting: 2026-01-05
  weeks:
    - {Mon: laurie, TUE: [laurie 22:00-06:00, elaine 00:00-24:00]}
    - {monday: both}
copy: hidden
handoff: never
absences:
  - partner: ELAINE
    from: 2026-12-21
    until: 2027-01-01
    note: "x: y #1"
    cover: {name: Jo Doe, email: jo@example.test, holidays: {country: NO, also: {2026-12-24: x}, never: 2026-05-17}}
  - {partner: laurie, from: 2026-12-21 00:00, until: 2026-12-23 24:00}
swaps: [{date: 2026-12-03, partner: laurie, for: 2026-12-08, hours: 12:00-13:00}]
emergency: {name: on, phone: +1 650 555}
"""
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration that uses every form."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config/roles").mkdir(parents=True)
    (tmp_path / "config/mailrouter.yaml").write_text(
        "trusted_networks: [127.0.0.0/8, 10.0.0.0/8, 192.168.0.0/16, 172.16.0.0/12, '::1/128']\n"
        "max_size: 10 MiB\nlisten:\n  smtp: '[::1]:2525'\nhostname: mx.example.test\npostmaster: it@example.test\n"
    )
    (tmp_path / "config/roles/vp-hr.yaml").write_text(RICH)
    return tmp_path


def test_each_value_says_its_line_or_that_it_is_a_default(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Values stand with file and line, a word for several keys at each of them, defaults by name."""
    assert main(["print-config"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for line in (
        "# config/mailrouter.yaml",
        'smtp: "[::1]:2525" # mailrouter.yaml:4',
        "- 192.168.0.0/16 # mailrouter.yaml:1",
        "authserv_id: # default: nobody's are believed",
        "our_domains: [example.test] # default: the domains of the roles",
        "max_size: 10 MiB # mailrouter.yaml:2",
        "# config/roles/vp-hr.yaml",
        "role: vp-hr@example.test # vp-hr.yaml:1",
        "hours: 08:30-16:30 # vp-hr.yaml:7",
        "- monday: laurie 08:30-16:30 # vp-hr.yaml:11",
        "wednesday: nobody # default",
        "inside: hidden # vp-hr.yaml:13",
        "outside: hidden # vp-hr.yaml:13",
        "attach: never # vp-hr.yaml:14",
        "forwarding: auto # default",
        "- partner: elaine # vp-hr.yaml:16",
        "tell: inside # default",
        "aliases: [] # default: none",
    ):
        assert line in lines, line


def test_it_is_readable_at_80_columns(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No line is longer than a terminal is wide, but for single values that are."""
    main(["print-config"])
    long = [line for line in capsys.readouterr().out.splitlines() if len(line) > 80]
    assert [line for line in long if str(here) not in line] == []


def test_fed_back_it_means_the_same(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed is a configuration, and the very same one."""
    before = config.load(Path("config"))
    main(["print-config"])
    settings, role = capsys.readouterr().out.split("\n\n# ")
    (here / "again/roles").mkdir(parents=True)
    (here / "again/mailrouter.yaml").write_text(settings)
    (here / "again/roles/vp-hr.yaml").write_text("# " + role)
    after = config.load(Path("again"))
    assert after.roles == before.roles
    assert after.settings == before.settings


def test_json_has_every_value_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For programs: file, key, value, line, and where it is from."""
    assert main(["print-config", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    by_key = {(Path(value["file"]).name, value["key"]): value for value in found}
    assert len(by_key) == len(found)
    assert by_key["vp-hr.yaml", "absences.0.until"] == {
        "file": "config/roles/vp-hr.yaml",
        "key": "absences.0.until",
        "value": "2027-01-01",
        "line": 18,
        "from": "config/roles/vp-hr.yaml:18",
    }
    assert by_key["vp-hr.yaml", "note"]["from"] == "default"
    assert by_key["vp-hr.yaml", "note"]["line"] is None


def test_what_cant_be_used_is_told_as_by_check(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken file gives its problems and exit code 1, and shows no password."""
    (here / "config/mailrouter.yaml").write_text("deliver: smtp://relay:s3cret@mail.example.test\n")
    for command in (["print-config"], ["print-config", "--json"], ["check"], ["check", "--json"]):
        assert main(command) == 1
        shown = "".join(capsys.readouterr())
        assert "logging in to the next server" in shown
        assert "s3cret" not in shown


def test_passwords_are_masked(here: Path) -> None:
    """A login in any value is shown without its password."""
    found = config.load(Path("config"))
    secret = replace(found.settings, authserv_id="smtp://relay:s3:c@ret@mail.example.test")
    files = in_force(replace(found, settings=secret), files_in(Path("config")))
    assert "s3" not in str(files)
    assert "relay:****" in str(files)


def test_a_long_value_has_its_source_above(here: Path) -> None:
    """Where there is no room behind a value, the line above says where it is from."""
    lines = list(as_yaml(FileInForce("config/x.yaml", (Value(("name",), "n" * 70, 3),))))
    assert lines == ["# config/x.yaml", "# x.yaml:3", "name: " + "n" * 70]


def test_a_narrow_terminal_has_each_source_above(here: Path) -> None:
    """At 40 columns nothing that could be shorter is wider, and it is the same YAML."""
    values = (Value(("hostname",), "mx.example.test", 3), Value(("web",), None, None, "nowhere"))
    lines = list(as_yaml(FileInForce("config/mailrouter.yaml", values), 40))
    assert lines[1:] == [
        "# mailrouter.yaml:3",
        "hostname: mx.example.test",
        "web:                  # default: nowhere",
    ]
