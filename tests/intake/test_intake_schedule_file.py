"""The role's file sent by mail and taken back: with its errors, its limits, and what is different."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailrouter.routing.partner.file.edited import version_mark
from mailrouter.routing.partner.file.merged import without_version
from tests.intake.rescheduling import (
    COMMENTED,
    ELAINE,
    SCHEDULE,
    asked,
    file_of,
    folder_in,
    notices,
    running,
    text_of,
    with_file,
)


async def test_the_file_is_sent_and_taken_back(tmp_path: Path) -> None:
    """As it is, to the one who asked; edited and attached it is taken, with what is different."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(asked("send file"), SCHEDULE)
        told = notices(found)
        assert set(told) == {"laurie"}
        (part,) = told["laurie"].iter_attachments()
        assert part.get_filename() == "vp-hr.yaml"
        content = part.get_content().replace("\r\n", "\n")
        plain, version = without_version(content)
        assert (plain, version) == (COMMENTED, version_mark(COMMENTED.encode()))
        answer = told["laurie"]["message-id"]
        edited = content.replace("friday: elaine", "friday: laurie   # from now on")
        assert (await found.send(with_file(edited, answer, 2), SCHEDULE)).startswith("250")
        assert file_of(tmp_path) == without_version(edited)[0]
        told = notices(found)
        assert set(told) == {"laurie", "elaine"}
        assert "each Friday from 4 December on: Laurie (was:" in text_of(told["elaine"])
        # The same line in the file as it was sent: what is to hold isn't clear.
        stale = content.replace("friday: elaine", "friday: [laurie, elaine]")
        await found.send(with_file(stale, answer, 3), SCHEDULE)
        text = " ".join(text_of(notices(found)["laurie"]).split())
        assert "in the same place as yours" in text
        assert "friday: [laurie, elaine]" in text
        assert file_of(tmp_path) == without_version(edited)[0]


async def test_a_file_that_was_sent_before_a_change_is_put_together_with_it(tmp_path: Path) -> None:
    """In a new mail as in an answer, by the version that it says."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(asked("send file"), SCHEDULE)
        (part,) = notices(found)["laurie"].iter_attachments()
        content = part.get_content().replace("\r\n", "\n")
        await found.send(asked("off 10 Dec, Laurie covers", sender=ELAINE, number=2), SCHEDULE)
        changed = content.replace("friday: elaine", "friday: laurie")
        await found.send(with_file(changed, "", 3), SCHEDULE)
        assert "friday: laurie" in file_of(tmp_path)
        assert "{partner: elaine, from: 2026-12-10" in file_of(tmp_path), "her change still stands"
        assert "was changed meanwhile" in text_of(notices(found)["elaine"]).replace("\n", " ")


async def test_a_file_without_a_version_that_takes_back_the_others_change_is_asked_back(
    tmp_path: Path,
) -> None:
    """With the change that it would take back; one's own is one's own."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(asked("off 10 Dec, Laurie covers", sender=ELAINE, number=2), SCHEDULE)
        kept = file_of(tmp_path)
        await found.send(with_file(COMMENTED.replace("friday: elaine", "friday: laurie"), "", 3), SCHEDULE)
        assert file_of(tmp_path) == kept
        text = " ".join(text_of(notices(found)["laurie"]).split())
        assert "would take back what Elaine changed: Elaine is away on Thursday 10 December" in text


async def test_a_file_with_errors_is_answered_with_them(tmp_path: Path) -> None:
    """Each with its line, in the words of ``check``; the file stays. Also where the mail's own text is the file."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(with_file("", number=8), SCHEDULE)
        assert "is empty, or too large" in " ".join(text_of(notices(found)["laurie"]).split())
        wrong = COMMENTED.replace("friday:", "fryday:") + "note: sometimes\n"
        await found.send(with_file(wrong), SCHEDULE)
        text = " ".join(text_of(notices(found)["laurie"]).split())
        assert 'Line 13, "fryday: elaine": `fryday` is not known here; did you mean `friday`?' in text
        assert 'Line 16, "note: sometimes": ' in text
        await found.send(asked(COMMENTED.replace("friday: elaine", "friday: laurie"), number=2), SCHEDULE)
        assert "friday: laurie" in file_of(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        ("email: elaine@example.test", "email: eve@evil.test"),
        ("  elaine: {name: Elaine Miller, email: elaine@example.test}\n", ""),
        ("emergency:", "aliases: [it@example.test]\nemergency:"),
        ("role: vp-hr@", "role: vp@"),
        ("elaine@example.test}", "elaine@example.test, until: 2026-12-04}"),
        ("laurie@example.test}", "laurie@example.test, from: 2026-12-01}"),
        ("elaine@example.test}", "elaine@example.test, calendar: {url: 'https://192.0.2.1/x'}}"),
        (
            "# the end",
            "absences:\n  - partner: elaine\n    from: 2026-12-07\n    until: 2026-12-07\n"
            "    cover: {name: Eve, email: eve@evil.test}",
        ),
        ("# the end", "weekly_mail: {to: [eve@evil.test]}"),
    ],
    ids=str,
)
async def test_who_the_partners_are_is_not_changed_by_mail(tmp_path: Path, change: tuple[str, str]) -> None:
    """Nor the role's addresses: whoever could write in a partner's name would get the role's mail, and its handoffs."""
    role = COMMENTED.replace("thursday: elaine", "thursday: laurie").replace(
        "friday: elaine", "friday: laurie"
    )
    role = role.replace("[laurie 09:00-13:00, elaine 12:00-17:00]", "laurie")
    folder_in(tmp_path, role)
    async with running(tmp_path) as found:
        await found.send(with_file(role.replace(*change)), SCHEDULE)
        told = notices(found)
        assert set(told) == {"laurie"}
        said = " ".join(text_of(told["laurie"]).split())
        assert "can't be changed by mail" in said or "can't be brought in by mail (eve@evil.test)" in said
        assert file_of(tmp_path) == role


@pytest.mark.parametrize("line", ["cover: {name: Pat, email: pat@example.test}", "cover: elaine"])
async def test_a_colleague_may_cover_by_mail(tmp_path: Path, line: str) -> None:
    """Our own people may be named in an edited file."""
    role = COMMENTED + f"absences:\n  - {{partner: laurie, from: 2026-12-07, until: 2026-12-08, {line}}}\n"
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(with_file(role), SCHEDULE)
        assert file_of(tmp_path) == role
