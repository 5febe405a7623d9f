"""The shipped example, loaded; and what follows from files that say less."""

from __future__ import annotations

from datetime import date, datetime
from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailrouter import config
from mailrouter.config import Destination, Settings
from mailrouter.config.retry_settings import Retry, Timeouts
from mailrouter.schedule.model import Absence, Emergency, HolidayRule, Person, Role, Rota, Shift, Swap
from tests.config.files import ROLE, MakeFolder

EXAMPLE = Path(__file__).parents[2] / "config"


def fqdn() -> str:
    return "mx.example.test"


def test_the_example_gives_these_settings() -> None:
    """The shipped mailrouter.yaml is valid as it stands and says exactly this."""
    base = EXAMPLE.parent
    assert config.load(EXAMPLE).settings == Settings(
        hostname="mx.example.test",
        our_domains=frozenset({"example.test"}),
        postmaster="it@example.test",
        deliver=Destination("maildir", path=base / "var/mail"),
        store=base / "var/mailrouter.db",
        run_folder=base / "var/run",
        listen_smtp=(("127.0.0.1", 2525),),
        trusted_networks=(ip_network("127.0.0.0/8"), ip_network("::1/128")),
        authserv_id=None,
        return_domain=None,
        max_size=None,
        templates=None,
    )


def test_the_example_gives_this_role() -> None:
    """The shipped role file is valid as it stands and says exactly this."""
    laurie = Person("laurie", "Laurie Cremona", "laurie@example.test", "+1 650 555 0101")
    elaine = Person("elaine", "Elaine Miller", "elaine@example.test")
    hers, theirs = (Shift("laurie", 540, 1020),), (Shift("elaine", 540, 1020),)
    wednesday = (Shift("laurie", 540, 780), Shift("elaine", 720, 1020))
    assert config.load(EXAMPLE).roles == (
        Role(
            key="vp-hr",
            address="vp-hr@example.test",
            name="VP Human Resources",
            time_zone=ZoneInfo("America/Los_Angeles"),
            partners=(laurie, elaine),
            rota=Rota(((hers, hers, wednesday, theirs, theirs, (), ()),)),
            aliases=("hr-lead@example.test",),
            holidays=HolidayRule("US", "CA"),
            absences=(
                Absence("elaine", datetime(2026, 12, 21), datetime(2027, 1, 2), "skiing", cover="laurie"),
            ),
            swaps=(Swap("laurie", date(2026, 12, 3), date(2026, 12, 8)),),
            emergency=Emergency("HR duty line", "+1 650 555 0100"),
        ),
    )


def test_the_example_shows_every_default() -> None:
    """What the example says of notes, copies and replies is what a file gets that says nothing."""
    shown = config.load(EXAMPLE).roles[0]
    plain = Role("x", "x@y", "X", ZoneInfo("UTC"), (), Rota(()))
    fields = "hours note handoff reply_inside reply_outside copy_inside copy_outside reply_to forwarding"
    for name in [*fields.split(), "already_addressed"]:
        assert getattr(shown, name) == getattr(plain, name), name


def test_an_empty_settings_file_is_enough(folder: MakeFolder) -> None:
    """Without a line in mailrouter.yaml, everything follows from the roles and the machine."""
    made = folder("", vp_hr=ROLE)
    settings = config.load(made, fqdn=fqdn).settings
    base = Path.cwd()
    assert settings == Settings(
        hostname="mx.example.test",
        our_domains=frozenset({"example.test"}),
        postmaster="postmaster@example.test",
        deliver=Destination("maildir", path=base / "var/mail"),
        store=base / "var/mailrouter.db",
        run_folder=base / "var/run",
    )


@pytest.mark.parametrize(
    "name", ["mailbox", "", "localhost", "1.0.0.127.in-addr.arpa", "a.localdomain", "a b.test"]
)
def test_a_machine_without_a_whole_name_greets_as_the_domain(folder: MakeFolder, name: str) -> None:
    """A machine's name that is no FQDN doesn't become the service's name: people get mail from it."""
    assert config.load(folder("", vp_hr=ROLE), fqdn=lambda: name).settings.hostname == "example.test"


@pytest.mark.parametrize(
    ("typed", "field", "expected"),
    [
        ("listen: {smtp: ':25'}", "listen_smtp", (("", 25),)),
        ("listen: {smtp: '[::1]:2525'}", "listen_smtp", (("::1", 2525),)),
        ("listen: {smtp: localhost:0}", "listen_smtp", (("localhost", 0),)),
        ("max_size: 50 MB", "max_size", 50_000_000),
        ("max_size: 50MB", "max_size", 50_000_000),
        ("max_size: 10 MiB", "max_size", 10 * 2**20),
        ("max_size: 1.5 gb", "max_size", 1_500_000_000),
        ("max_size: 0100000", "max_size", 100_000),
        ("deliver: smtp://10.0.0.5", "deliver", Destination("smtp", "10.0.0.5", 25)),
        ("deliver: smtp://[::1]:26/", "deliver", Destination("smtp", "::1", 26)),
        ("deliver: smtp://Mail.Example.test:2525", "deliver", Destination("smtp", "mail.example.test", 2525)),
        ("deliver: maildir:/srv/mail", "deliver", Destination("maildir", path=Path("/srv/mail"))),
        ("store: sqlite:/srv/m.db", "store", Path("/srv/m.db")),
        ("trusted_networks: 10.1.2.3", "trusted_networks", (ip_network("10.1.2.3/32"),)),
        ("trusted_networks: []", "trusted_networks", ()),
        ("our_domains: [Example.TEST, bücher.test.]", "our_domains", {"example.test", "xn--bcher-kva.test"}),
        ("timeouts: {connect: 10 s}", "timeouts", Timeouts(connect=10)),
        ("timeouts: {reply: 1.5 min, data_end: 1 h}", "timeouts", Timeouts(reply=90, data_end=3600)),
        ("retry: {first: 1min, most: 20 minutes}", "retry", Retry(first=60, most=1200)),
        (
            "retry: {give_up: 2 days, delay_notice: never}",
            "retry",
            Retry(give_up=172_800, delay_notice=None),
        ),
        ("authserv_id: Mail.example.test", "authserv_id", "Mail.example.test"),
        ("return_domain: Roles.example.test.", "return_domain", "roles.example.test"),
        ("our_domains: [intranet]\npostmaster: it@intranet", "postmaster", "it@intranet"),
        ("postmaster: it@mail.local", "postmaster", "it@mail.local"),
    ],
)
def test_settings_as_they_are_typed(folder: MakeFolder, typed: str, field: str, expected: object) -> None:
    """Each way of writing a setting gives the fact that is meant."""
    assert getattr(config.load(folder(typed, vp_hr=ROLE), fqdn=fqdn).settings, field) == expected


def test_a_role_is_found_by_key_address_and_alias(folder: MakeFolder) -> None:
    """Case, sub-addresses and the spelling of an international domain don't matter."""
    role = ROLE.replace("vp-hr@example.test", "vp-hr@bücher.test") + "aliases: lead@example.test\n"
    found = config.load(folder("", vp_hr=role), fqdn=fqdn)
    assert found.addresses == {"vp-hr@xn--bcher-kva.test", "lead@example.test"}
    names = ("vp-hr", "VP-HR", "vp-hr@BÜCHER.test", "VP-hr+Handoff@xn--bcher-kva.test", "Lead+x@example.test")
    assert all(found.role_for(name) is found.roles[0] for name in names)
    assert [found.role_for(name) for name in ("", "vp", "laurie@example.test", "+x@example.test")] == [
        None
    ] * 4


def test_files_that_were_meant_to_be_roles_are_warned_of(folder: MakeFolder) -> None:
    """An editor's extra .txt is told; backups and hidden files are nobody's business."""
    made = folder("", vp_hr=ROLE)
    for name in ("cfo.yaml.txt", "coo.YAML", "notes.md", ".x.yaml", "vp-hr.yaml~"):
        (made / "roles" / name).write_text("")
    found = config.load(made, fqdn=fqdn)
    assert [(Path(w.file).name, w.warning) for w in found.warnings] == [
        ("cfo.yaml.txt", True),
        ("coo.YAML", True),
    ]


def test_the_default_folder_is_the_one_here_or_the_systems(folder: MakeFolder) -> None:
    """config/ in the current folder comes before /etc/mailrouter."""
    assert config.default_folder() == Path("/etc/mailrouter")
    folder()
    assert config.default_folder() == Path("config")
