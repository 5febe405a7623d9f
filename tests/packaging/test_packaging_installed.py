"""The installed wheel at work, in an empty folder far from the checkout."""

from __future__ import annotations

import json
import smtplib
from pathlib import Path

from mailrouter import __version__
from tests.packaging.installed import ROOT, Installed
from tests.support.relay import maildir, wait_until

ROLE = "hr-lead@example.test"
AWAY = """
holidays: {country: US, subdivision: CA}
absences:
  - {partner: elaine, from: 2020-01-01, until: 2099-12-31, cover: laurie}
"""
MAIL = f"From: jane@example.test\r\nTo: {ROLE}\r\nSubject: Budget\r\n\r\nHow is it going?\r\n"
WHERE = """
import json, sys
import mailrouter.service.wiring, mailrouter.cli.setup.init, mailrouter.cli.explain, mailrouter.cli.setup.check
from mailrouter.runtime.templates import shipped
files = [m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "mailrouter" and m.__file__]
print(json.dumps([*files, *(str(shipped(folder)) for folder in ("templates", "config"))]))
"""


def configure(installed: Installed, folder: Path) -> None:
    """What IT would do: init, then the port, holidays and an absence by hand."""
    partners = (
        "--partner",
        "Laurie Cremona <laurie@example.test>",
        "--partner",
        "Elaine Miller <elaine@example.test>",
    )
    told = installed.run(
        *(
            folder,
            "mailrouter",
            "init",
            "--yes",
            "--role",
            ROLE,
            "--name",
            "HR",
            *partners,
            "--time-zone",
            "America/Los_Angeles",
        )
    )
    assert "config/roles/hr-lead.yaml" in told
    settings, role = folder / "config/mailrouter.yaml", folder / "config/roles/hr-lead.yaml"
    settings.write_text(settings.read_text().replace("smtp: 127.0.0.1:2525", "smtp: 127.0.0.1:0"))
    role.write_text(role.read_text() + AWAY)


def test_nothing_of_the_checkout_is_used(installed: Installed, tmp_path: Path) -> None:
    """Every module and every folder of templates and examples comes from the installed package."""
    found = [Path(name) for name in json.loads(installed.run(tmp_path, "python", "-c", WHERE))]
    assert len(found) > 40
    assert [path for path in found if not path.is_relative_to(installed.package)] == []
    assert not installed.package.resolve().is_relative_to(ROOT)


def test_the_command_knows_its_version(installed: Installed, tmp_path: Path) -> None:
    """`mailrouter --version` says what the package's metadata say."""
    assert installed.run(tmp_path, "mailrouter", "--version").strip() == f"mailrouter {__version__}"
    asked = "from importlib.metadata import version; print(version('mailrouter'))"
    assert installed.run(tmp_path, "python", "-c", asked).strip() == __version__


def test_from_init_to_explain(installed: Installed, tmp_path: Path) -> None:
    """In an empty folder init makes a configuration, check passes, explain says what each partner gets."""
    configure(installed, tmp_path)
    assert "hr-lead" in installed.run(tmp_path, "mailrouter", "check")
    (tmp_path / "mail.eml").write_text(MAIL, newline="")
    told = installed.run(tmp_path, "mailrouter", "explain", "mail.eml", "--at", "2026-12-22 09:00")
    assert "laurie@example.test" in told
    assert "elaine@example.test" in told
    assert "Elaine is away" in installed.run(tmp_path, "mailrouter", "explain", "mail.eml", "--raw")


def test_a_mail_through_the_installed_relay(installed: Installed, tmp_path: Path) -> None:
    """A mail taken over SMTP reaches both Maildirs with a note from the package's own template."""
    template = installed.package / "_shipped/templates/mail/note.txt.j2"
    shipped = template.read_text()
    configure(installed, tmp_path)
    try:
        template.write_text("Written by the package's template.\n" + shipped)
        with installed.serving(tmp_path) as port:
            with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
                client.sendmail("jane@example.test", [ROLE], MAIL)
            for partner in ("laurie@example.test", "elaine@example.test"):
                wait_until(lambda at=partner: maildir(tmp_path, at), what=f"a copy for {partner}")
                (copy,) = maildir(tmp_path, partner)
                assert b"How is it going?" in copy
                assert b"Written by the package's template." in copy
                assert b"Elaine is away until" in copy
    finally:
        template.write_text(shipped)
