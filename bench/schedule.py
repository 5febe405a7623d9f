"""What schedules cost: `check` of many roles, a lookup, and twenty years of absences.

python -m bench.schedule [--roles 1000] [--times 3]

All but the first figure are CPU time, which others at work on the machine change less.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from mailrouter import config
from mailrouter.config.configuration import Configuration
from mailrouter.schedule.check.warnings import warnings
from mailrouter.schedule.duty import Roster
from mailrouter.schedule.layers import Layers
from mailrouter.schedule.model import Absence, Role

TODAY = date(2026, 11, 30)
ROLE = """\
role: role-{n}@example.test
aliases: [r{n}@example.test]
name: Role {n}
time_zone: {zone}

partners:
  laurie: {{name: Laurie Cremona, email: laurie.{n}@example.test, phone: "+1 650 555 0101"}}
  elaine: {{name: Elaine Miller, email: elaine.{n}@example.test}}

hours: 09:00-17:00
lunch: 12:30-13:00
rota:
  starting: 2026-01-05
  weeks:
    - {{monday: laurie, tuesday: laurie, wednesday: [laurie 09:00-13:00, elaine 12:00-17:00], thursday: elaine}}
    - {{monday: laurie, wednesday: both, thursday: elaine, friday: elaine}}
special_days: {{2026-12-03: both, 2026-12-24 until 2026-12-31: nobody}}
holidays: {{country: {country}}}

absences:
  - {{partner: elaine, from: 2026-12-07, until: 2026-12-11, note: skiing, cover: laurie}}
  - {{partner: laurie, date: 2026-12-14, hours: 09:00-12:00}}
  - {{partner: elaine, every: first friday}}
  - {{partner: laurie, from: 2027-02-01, until: 2027-02-12, cover: elaine}}
swaps:
  - {{date: 2026-12-15, partner: elaine, for: 2026-12-17}}
emergency: {{name: HR duty line, phone: "+1 650 555 0100", tell: inside}}
"""
PLACES = (
    ("America/Los_Angeles", "US"),
    ("Europe/Berlin", "DE"),
    ("Europe/London", "GB"),
    ("Australia/Sydney", "AU"),
)


def write(folder: Path, roles: int) -> Path:
    """A configuration of so many roles, each of real size."""
    where = folder / "config"
    (where / "roles").mkdir(parents=True)
    (where / "mailrouter.yaml").write_text("hostname: mx.example.test\n")
    for n in range(roles):
        zone, country = PLACES[n % len(PLACES)]
        (where / "roles" / f"role-{n}.yaml").write_text(ROLE.format(n=n, zone=zone, country=country))
    return where


def whole_command(where: Path) -> tuple[float, float]:
    """Seconds that `mailrouter check` takes, from the shell's side, and seconds of CPU."""
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "mailrouter", "check", "--config", str(where)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "NO_COLOR": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - started, cpu


def parts_of_check(where: Path) -> tuple[Configuration, float, float]:
    """The configuration, with the seconds that reading it took, and looking for oddities in it."""
    gc.disable()  # as the command does
    started = time.process_time()
    configuration = config.load(where)
    read = time.process_time()
    for role in configuration.roles:
        warnings(role, TODAY)
    return configuration, read - started, time.process_time() - read


def lookups(roles: tuple[Role, ...], count: int) -> tuple[float, float, float]:
    """Microseconds a lookup: one after another through a week, at random moments of a year, and the first of each."""
    start = datetime(2026, 11, 30, tzinfo=UTC)
    rosters = [Roster(role) for role in roles[:100]]
    first = [_timed(lambda roster=roster: roster.duty(start)) for roster in rosters]
    step = timedelta(days=7) / (count // len(rosters))
    in_order = _timed(
        lambda: [r.duty(start + step * n) for r in rosters for n in range(count // len(rosters))]
    )
    chance = random.Random(1)
    moments = [start + timedelta(minutes=chance.randrange(365 * 1440)) for _ in range(count)]
    roster = rosters[0]
    shuffled = _timed(lambda: [roster.duty(moment) for moment in moments])
    return in_order / count * 1e6, shuffled / count * 1e6, statistics.median(first) * 1e6


def _timed(work: object) -> float:
    started = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - started


def years_of_absences(role: Role) -> Iterator[tuple[int, int, float, float]]:
    """For some years of an absence every two weeks: years, absences, seconds to take them up and for the timeline."""
    for years in (5, 10, 20, 40):
        start = datetime(2010, 1, 4)
        many = tuple(
            Absence(
                "elaine", start + timedelta(days=14 * n), start + timedelta(days=14 * n + 3), "", "laurie"
            )
            for n in range(26 * years)
        )
        made = Role(**{name: getattr(role, name) for name in Role.__dataclass_fields__} | {"absences": many})
        began = time.process_time()
        layers = Layers(made)
        ready = time.process_time()
        for n in range(365 * years):
            layers.slots(date(2010, 1, 1) + timedelta(days=n))
        yield years, len(many), ready - began, time.process_time() - ready


def main() -> None:
    """Print all figures."""
    options = argparse.ArgumentParser(description="What schedules cost.")
    options.add_argument("--roles", type=int, default=1000)
    options.add_argument("--times", type=int, default=3)
    options.add_argument("--lookups", type=int, default=100_000)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        where = write(Path(name), asked.roles)
        found = sorted(whole_command(where) for _ in range(asked.times))
        waited, cpu = (statistics.median(values) for values in zip(*found, strict=True))
        print(
            f"check of {asked.roles} roles: median {waited:.2f} s, best {found[0][0]:.2f} s, worst {found[-1][0]:.2f} s; "
            f"CPU {cpu:.2f} s"
        )
        configuration, read, odd = parts_of_check(where)
        print(f"  of it reading {read:.2f} s, looking for oddities {odd:.2f} s")
    in_order, shuffled, first = lookups(configuration.roles, asked.lookups)
    print(
        f"Roster.duty: {in_order:.1f} µs in order, {shuffled:.1f} µs shuffled over a year, {first:.0f} µs the first one"
    )
    for years, absences, ready, whole in years_of_absences(configuration.roles[0]):
        print(
            f"{years:3} years, {absences:5} absences: taken up in {ready * 1000:5.1f} ms, "
            f"every day worked out in {whole * 1000:6.0f} ms, {whole / years / 365 * 1e6:.0f} µs a day"
        )


if __name__ == "__main__":
    main()
