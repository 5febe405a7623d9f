"""The demo's folder: a configuration like anybody's, with dates around today."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

ROLE = "vp-hr@example.test"
QUIET_ROLE = "office@example.test"
"""The role with nobody in."""
HANDOFF_ADDRESS = "vp-hr+handoff@example.test"
PARTNER = "laurie@example.test"
"""Where one of the partners of ``ROLE`` hands over, and one of them."""

_SETTINGS = """\
# The service's file, IT's. `mailrouter init` makes one like it.
hostname: demo.example.test
our_domains: [example.test]
postmaster: it@example.test
listen: {{smtp: "127.0.0.1:{port}"}}  # 0: any port that is free
deliver: maildir:var/mail           # a folder of mails for each person
store: sqlite:var/mailrouter.db
"""
_VP_HR = """\
# The partners' file. In the demo somebody is in at every hour, so that it shows the same on Sundays.
role: vp-hr@example.test
name: VP Human Resources
time_zone: {zone}
partners:
  laurie: {{name: Laurie Cremona, email: laurie@example.test}}
  elaine: {{name: Elaine Miller, email: elaine@example.test}}
hours: 00:00-24:00
rota:
  monday: laurie
  tuesday: laurie
  wednesday: both
  thursday: elaine
  friday: elaine
  saturday: laurie
  sunday: elaine
absences:
  - {{partner: elaine, from: {today}, until: {soon}, note: skiing, cover: laurie}}
emergency: {{name: HR duty line, phone: "+1 650 555 0100"}}
"""
_OFFICE = """\
# A second role, shared by two others. Both are away at once, so senders are answered.
role: office@example.test
name: Office Manager
time_zone: {zone}
partners:
  ben: {{name: Ben Okafor, email: ben@example.test}}
  mia: {{name: Mia Lindt, email: mia@example.test}}
rota:
  monday: ben
  tuesday: ben
  wednesday: both
  thursday: mia
  friday: mia
absences:
  - {{partner: ben, from: {today}, until: {soon}, note: trade fair}}
  - {{partner: mia, from: {today}, until: {soon}, note: trade fair}}
emergency: {{name: Front desk, phone: "+1 650 555 0123"}}
"""

HANDOFF_AUTHOR = "Elaine"
HANDOFF = """\
Done:
- Sam Park has our offer and answers by Friday.

Left:
- Sign the travel budget.
- Call Jim about the parking.

Watch:
- The works council asks for the overtime figures.
"""
_DAYS_AWAY = 6


def write(folder: Path, today: date, zone: str, port: int) -> Path:
    """Write the configuration into ``folder``/config; gives that folder. Raises OSError."""
    config = folder / "config"
    (config / "roles").mkdir(parents=True)
    soon = today + timedelta(days=_DAYS_AWAY)
    (config / "mailrouter.yaml").write_text(_SETTINGS.format(port=port), "utf-8")
    for name, text in (("vp-hr", _VP_HR), ("office", _OFFICE)):
        filled = text.format(zone=zone, today=today, soon=soon)
        (config / "roles" / f"{name}.yaml").write_text(filled, "utf-8")
    return config
