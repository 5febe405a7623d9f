"""Feeds by their secret addresses: found by them alone, out of use when it is said, cheap to ask for again."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import icalendar
import pytest

from mailrouter.calendars.cache import Kept, folder_of, keep
from mailrouter.calendars.feed_secret import FILE, draw_anew, generations
from mailrouter.calendars.feeds import Feeds, Published
from mailrouter.config import Configuration, load
from mailrouter.errors import StoreError
from mailrouter.keyed import same
from mailrouter.moments import milliseconds
from mailrouter.trust.calendar_address import SECRET, feed_secret
from tests.calendars.test_calendars_kept import configured
from tests.support.relay import write_configuration

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
KEY = b"k" * 32


def feeds_of(configuration: Configuration, key: bytes = KEY) -> Feeds:
    """The feeds; the files of the configuration were written a day before."""
    for path in configuration.folder.rglob("*.yaml"):
        os.utime(path, (NOW.timestamp() - 86400,) * 2)
    return Feeds(configuration, key)


def given(feeds: Feeds, secret: str, now: datetime = NOW) -> Published:
    """The feed, which is there."""
    found = feeds.published(secret, now)
    assert found is not None
    return found


def titles(found: Published) -> set[str]:
    """What the events of a feed are called."""
    return {str(event["SUMMARY"]) for event in icalendar.Calendar.from_ical(found.body).events}


def test_each_feed_has_an_address_of_its_own(tmp_path: Path) -> None:
    """The role's and each partner's; another key gives others, so they can't be guessed."""
    configuration = load(write_configuration(tmp_path))
    feeds, role = feeds_of(configuration), configuration.roles[0]
    secrets = [feeds.secret(role, partner) for partner in ("", "laurie", "elaine")]
    assert len({*secrets, *(feeds_of(configuration, b"x" * 32).secret(role, p) for p in ("", "laurie"))}) == 5
    assert all(SECRET.fullmatch(secret) for secret in secrets)
    assert [titles(given(feeds, secret)) for secret in secrets] == [
        {"Laurie", "Elaine"},
        {"VP Human Resources"},
        {"VP Human Resources"},
    ]
    assert given(feeds, secrets[1]).body != given(feeds, secrets[2]).body


@pytest.mark.parametrize("secret", ["", "a", "a" * 32, "A" * 32, "../../etc", "a" * 10_000, "é" * 32, "%00"])
def test_nothing_else_is_there(tmp_path: Path, secret: str) -> None:
    """No list, no hint; nor a role that is not of this relay."""
    configuration = load(write_configuration(tmp_path))
    feeds = feeds_of(configuration)
    assert feeds.published(secret, NOW) is None
    assert feeds.published(feed_secret(KEY, "another", "", ""), NOW) is None
    assert feeds.published(feeds.secret(configuration.roles[0]).upper(), NOW) is None


def test_addresses_of_the_key_before_last_as_long_as_it_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And say so in the calendar itself, without the new address; one that was taken out of use is not back."""
    configuration = load(write_configuration(tmp_path))
    role, new = configuration.roles[0], b"n" * 32
    before = feeds_of(configuration)
    old, own = before.secret(role), before.secret(role, "elaine")
    until = NOW + timedelta(days=10)
    feeds = Feeds(configuration, new, [(KEY, milliseconds(until))])
    found = given(feeds, old)
    (told,) = titles(found) - titles(given(feeds, feeds.secret(role)))
    assert told == "VP Human Resources: ask IT for this calendar's new address"
    assert feeds.secret(role).encode() not in found.body
    event: Any
    (event,) = [e for e in icalendar.Calendar.from_ical(found.body).events if e["SUMMARY"] == told]
    assert event["DTEND"].dt == (until + timedelta(days=1)).date()
    assert str(event["DESCRIPTION"]).endswith("mailrouter calendar-address vp-hr")
    assert "mailrouter calendar-address vp-hr --partner elaine" in icalendar.Calendar.from_ical(
        given(feeds, own).body
    ).to_ical().decode().replace("\r\n ", "")
    assert caplog.messages[0].startswith("the calendar feed of vp-hr is still read from the address before")
    assert old not in caplog.text
    assert feeds.published(old, until) is None
    draw_anew(configuration.settings.run_folder, "vp-hr")
    assert feeds.published(old, NOW) is None


def test_a_new_address_takes_the_old_one_out_of_use(tmp_path: Path) -> None:
    """At once, in the service that runs; the other feeds keep theirs; drawn twice it is new twice."""
    configuration = load(write_configuration(tmp_path))
    feeds, role, run = feeds_of(configuration), configuration.roles[0], configuration.settings.run_folder
    old, laurie = feeds.secret(role), feeds.secret(role, "laurie")
    draw_anew(run, "vp-hr")
    new = feeds.secret(role)
    assert feeds.published(old, NOW) is None
    assert given(feeds, new)
    assert feeds.secret(role, "laurie") == laurie
    draw_anew(run, "vp-hr")
    assert len({old, new, feeds.secret(role)}) == 3
    assert (run / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "[]", "{", '{"vp-hr": 1}', "\xff"])
def test_a_damaged_file_gives_no_feed(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    """Rather than one whose address was taken out of use; it is said, and nothing is overwritten."""
    configuration = load(write_configuration(tmp_path))
    feeds, run = feeds_of(configuration), configuration.settings.run_folder
    secret = feeds.secret(configuration.roles[0])
    run.mkdir(parents=True)
    (run / FILE).write_text(text, encoding="latin-1")
    assert feeds.published(secret, NOW) is None
    assert "is damaged, so no calendar feed is given" in caplog.text
    assert secret not in caplog.text
    with pytest.raises(StoreError):
        draw_anew(run, "vp-hr")
    assert generations(tmp_path) == {}


def test_asking_again_is_cheap(tmp_path: Path) -> None:
    """The same bytes and tag until something changes: the file, a calendar that was read, or the week."""
    configuration = configured(tmp_path)
    feeds, role = feeds_of(configuration), configuration.roles[0]
    secret = feeds.secret(role)
    first = given(feeds, secret)
    assert given(feeds, secret, NOW + timedelta(hours=3)) is first
    assert first.is_known(f'"x", W/{first.etag}')
    assert first.is_known("*")
    assert not first.is_known('"x"')
    assert not first.is_known()
    assert first.last_modified == "Mon, 30 Nov 2026 12:00:00 GMT"
    away = (datetime(2026, 12, 10, 8, tzinfo=UTC), datetime(2026, 12, 11, 8, tzinfo=UTC))
    keep(folder_of(configuration), role, role.person("elaine"), Kept(NOW, NOW, NOW, "", (away,)))
    read = Feeds(configuration, KEY)  # made anew with the desk
    second = given(read, secret)
    assert second.etag != first.etag
    assert second.last_modified == "Tue, 01 Dec 2026 12:00:00 GMT"
    assert "Elaine is away" in titles(second)
    assert given(read, secret, NOW + timedelta(days=7)).etag != second.etag


def test_a_former_partner_has_no_feed_any_more(tmp_path: Path) -> None:
    """After their last day, and before their first."""
    made = write_configuration(tmp_path)
    path = made / "roles" / "vp-hr.yaml"
    path.write_text(
        path.read_text().replace("laurie@example.test}", "laurie@example.test, until: 2026-12-03}")
    )
    configuration = load(made)
    feeds = feeds_of(configuration)
    secret = feeds.secret(configuration.roles[0], "laurie")
    assert given(feeds, secret)
    assert feeds.published(secret, NOW + timedelta(days=3)) is None


def test_secrets_are_compared_whole() -> None:
    """With hmac.compare_digest; and the words that a secret is made of can't run into each other."""
    assert same("abc", "abc")
    assert not same("abc", "abd")
    assert feed_secret(KEY, "a", "b", "") != feed_secret(KEY, "a", "", "b") != feed_secret(KEY, "ab", "", "")
