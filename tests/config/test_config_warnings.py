"""Settings that are each right, and hurt: what `check` says of them, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailrouter import config
from mailrouter.cli import machine, main
from mailrouter.errors import ConfigurationError
from tests.config.files import ROLE, MakeFolder


@pytest.mark.parametrize(
    ("settings", "place", "words"),
    [
        ("postmaster: vp-hr@example.test\n", "1:13", "is the role vp-hr itself"),
        ("postmaster: VP-HR+it@example.test\n", "1:13", "is the role vp-hr itself"),
        ("trusted_networks: [0.0.0.0/0]\n", "1:19", "0.0.0.0/0 trusts the servers of strangers"),
        ("trusted_networks: ['10.0.0.5', '::/0']\n", "1:19", "::/0 trusts the servers of strangers"),
        ("trusted_networks: 128.0.0.0/1\n", "1:19", "128.0.0.0/1 trusts the servers of strangers"),
        ("return_domain: example.test\n", "1:16", "example.test is the roles' own domain"),
        ("hostname: mx\n", "1:11", "mx is a name without its domain"),
        ("hostname: localhost\n", "1:11", "every machine's name for itself"),
        ("hostname: box.localdomain\n", "1:11", "every machine's name for itself"),
        ("hostname: 192.0.2.7\n", "1:11", "192.0.2.7 is an address and no name"),
        ("listen: {smtp: '127.0.0.1:0'}\n", "1:16", "port 0 is another one at each start"),
        ("web: 0.0.0.0:8080\n", "1:6", "everybody who can reach this machine"),
        ("web: ':8080'\n", "1:6", "everybody who can reach this machine"),
    ],
)
def test_a_setting_that_hurts_is_a_warning_at_its_place(
    folder: MakeFolder, settings: str, place: str, words: str
) -> None:
    made = folder(settings, vp_hr=ROLE)
    (warning,) = config.load(made, fqdn=lambda: "mx.example.test").warnings
    assert warning.warning
    assert f"{warning.line}:{warning.column}" == place
    assert words in warning.what
    assert warning.hint


def test_usual_settings_bring_no_warning(folder: MakeFolder) -> None:
    made = folder(
        "hostname: mx.example.test\npostmaster: it@example.test\nreturn_domain: roles.example.test\n"
        "trusted_networks: [127.0.0.0/8, '::1', 10.0.0.0/8, '2001:db8::/32']\nweb: 127.0.0.1:8080\n",
        vp_hr=ROLE,
    )
    assert config.load(made).warnings == ()


def test_a_machine_without_a_name_is_told_at_the_file(folder: MakeFolder) -> None:
    """The name comes from the machine or the roles then, and no line is there to point at."""
    role = ROLE.replace("vp-hr@example.test", "vp-hr@intranet")
    made = folder("our_domains: intranet\n", vp_hr=role)
    (warning,) = config.load(made, fqdn=lambda: "box").warnings
    assert "intranet is a name without its domain" in warning.what


@pytest.mark.parametrize("web", ["127.0.0.1:2525", ":2525", "0.0.0.0:2525", "localhost:2525"])
def test_pages_and_mail_do_not_share_a_port(folder: MakeFolder, web: str) -> None:
    made = folder(f"web: '{web}'\n", vp_hr=ROLE)
    with pytest.raises(ConfigurationError, match="mail comes in here already"):
        config.load(made)


def test_mail_may_come_in_at_several_addresses(folder: MakeFolder) -> None:
    made = folder("listen: {smtp: [127.0.0.1:2525, '[::1]:2525']}\n", vp_hr=ROLE)
    settings = config.load(made).settings
    assert settings.listen_smtp == (("127.0.0.1", 2525), ("::1", 2525))


def test_a_next_server_that_is_one_of_several_doors_is_refused(folder: MakeFolder) -> None:
    made = folder("listen: {smtp: ['127.0.0.1:2525', '10.0.0.9:25']}\ndeliver: smtp://10.0.0.9\n", vp_hr=ROLE)
    with pytest.raises(ConfigurationError, match="this is where mailrouter itself listens"):
        config.load(made)


def test_no_door_at_all_is_refused(folder: MakeFolder) -> None:
    made = folder("listen: {smtp: []}\n", vp_hr=ROLE)
    with pytest.raises(ConfigurationError, match="the list is empty"):
        config.load(made)


def test_a_store_that_is_a_folder_is_a_problem(
    folder: MakeFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    made = folder("store: sqlite:var/mail\n", vp_hr=ROLE)
    Path("var/mail").mkdir(parents=True)
    assert main(["check", "--config", str(made)]) == 1
    assert "var/mail is a folder; name a file" in " ".join(capsys.readouterr().err.split())


def test_a_store_in_a_place_that_can_not_be_written_is_a_warning(
    folder: MakeFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write anywhere, so it is asked of a place where nobody may: below a file."""
    made = folder("store: sqlite:taken/mailrouter.db\n", vp_hr=ROLE)
    Path("taken").write_text("")
    assert main(["check", "--config", str(made)]) == 0
    assert "store: this user can't write in" in " ".join(capsys.readouterr().out.split())


def test_a_next_server_without_an_address_is_a_warning(
    folder: MakeFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names below .invalid exist nowhere (RFC 6761)."""
    made = folder("deliver: smtp://relay.invalid\n", vp_hr=ROLE)
    assert main(["check", "--config", str(made)]) == 0
    assert "deliver: relay.invalid has no address here" in " ".join(capsys.readouterr().out.split())


def test_a_name_server_that_does_not_answer_is_not_waited_for(
    folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = folder("deliver: smtp://relay.example.test\n", vp_hr=ROLE)
    monkeypatch.setattr(machine, "LOOK_UP_SECONDS", 0.0)
    assert "no name server said within" in machine.unreachable(config.load(made).settings.deliver)
