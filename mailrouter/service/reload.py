"""Taking up changed files while mail flows, role by role; saying what is different, and what is broken."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from mailrouter import events
from mailrouter.config.configuration import Configuration
from mailrouter.config.last_good import Broken, Serving, keep_good, serving
from mailrouter.errors import ConfigurationError, MailrouterError
from mailrouter.intake.feedback.plain_alerts import of_settings
from mailrouter.intake.originals import Original, originate
from mailrouter.intake.partner.file_changes import own_situation
from mailrouter.moments import milliseconds
from mailrouter.routing.partner import schedule_notices
from mailrouter.runtime.context import Context, Desk, current
from mailrouter.schedule.localtime import local_day
from mailrouter.schedule.model import Person
from mailrouter.schedule.views.diff import differences, summed_up
from mailrouter.service.vanished import Vanished
from mailrouter.service.watch import PAUSE, changes
from mailrouter.store.protocols import Store

log = logging.getLogger("mailrouter")

_MOST_LINES = 40
_FIXED = (
    *("hostname", "listen_smtp", "deliver", "store", "run_folder", "web"),
    *("timeouts", "retry", "log_format"),
)
"""Settings that hold until a restart: where mail comes in, where it goes and where it waits."""
_WHOLE = "mended"
LAST_SETTINGS = "the settings can't be used, so the service goes by those that were right last"


async def _nothing_else(configuration: Configuration, desk: Desk) -> None:
    pass


def _tell_read(now: Serving, later: Sequence[str], words: str) -> None:
    fields: events.Fields = {
        "roles": len(now.configuration.roles),
        "broken": len(now.broken) or None,
        "at_restart": ",".join(later) or None,
    }
    events.tell(log, "configuration_read", fields=fields, words=words)


def _log_broken(broken: Broken) -> None:
    fields = {"role": broken.key}
    events.tell(log, "role_broken", fields=fields, level=logging.ERROR, words=_broken_words(broken))


class Reloading:
    """The configuration in force. ``make_desk`` makes it ready for work, and may take a while; ``wake`` is called
    when messages of ours lie in the store, ``taken_up`` when something new is in force, ``remember`` when it is to
    hold over a restart."""

    def __init__(
        self,
        now: Serving,
        context: Context,
        store: Store,
        make_desk: Callable[[Configuration], Desk],
        wake: Callable[[], None],
        read: Callable[[Path, Mapping[str, bytes]], Serving] = lambda folder, missed: serving(
            folder, missed=missed
        ),
        taken_up: Callable[[Configuration, Desk], Awaitable[None]] = _nothing_else,
        remember: Callable[[Serving, Mapping[str, bytes] | None], None] = keep_good,
    ) -> None:
        self.now = now
        self._context, self._store = context, store
        self._make_desk, self._wake = make_desk, wake
        self._read, self._taken_up, self._remember = read, taken_up, remember
        self._lock = asyncio.Lock()
        self._kept: Mapping[str, bytes] | None = None
        """The texts that are remembered for the next start; None where that is to be looked up."""
        self._told: set[str] | None = None
        """The roles whose files are broken, or were and nobody has forgotten it yet; None before the first look."""
        self.unreadable = ""
        """Why the last reading failed as a whole, for a log; ``""`` where it did not."""
        self._vanished = Vanished(store, lambda: self.reload(asked=False))
        self._later: list[str] = []
        """The settings in the files that hold from the next start on."""

    @property
    def errors(self) -> int:
        """The number of configuration files that can't be read: roles' files, and 1 more where that is the whole."""
        return len(self.now.broken) + bool(self.unreadable)

    async def settle(self) -> None:
        """At the start: remember what is right, and tell of what is broken."""
        self._keep()
        _tell_read(self.now, [], "the configuration was read")
        for broken in self.now.broken:
            _log_broken(broken)
        if problems := self.now.settings_problems:
            self.unreadable = str(ConfigurationError(problems).discreet())
            words = f"{LAST_SETTINGS}:\n{self.unreadable}"
            events.tell(log, "configuration_broken", level=logging.ERROR, words=words)
            await self._tell_settings(self.unreadable)
        await self._tell_broken()
        await self._tell_vanished()

    async def _tell_settings(self, problems: str) -> None:
        """Tell the operator, once a text, that older settings are in force."""
        desk, moment = self._context.desk, self._context.now()
        made = of_settings(desk, problems, moment)
        role = next(iter(desk.configuration.roles), None)
        if made is None or role is None:
            return
        alert = Original("alert", desk.configuration.settings.postmaster, made)
        what = hashlib.sha256(problems.encode()).hexdigest()
        try:
            if await originate(
                self._store, role.key, [alert], moment, LAST_SETTINGS, ("broken settings", what)
            ):
                self._wake()
        except MailrouterError as error:
            log.error("nobody could be told that the settings are broken: %s", error)

    async def watch(self, pause: float = PAUSE) -> None:
        """Take up each change, until cancelled; the first look reads all files, as they may have changed while the
        service was getting ready."""
        async for _ in changes(self.now.configuration.folder, frozenset(), pause):
            try:
                await self.reload(asked=False)
            except Exception:
                log.exception("changed files can't be taken up; it is tried again when they change")

    async def reload(self, *, asked: bool = True) -> None:
        """Read all files again, and work by what is right.

        It holds from the next message on; what is broken changes nothing.

        Unless it was ``asked`` for, nothing is logged where nothing changed, and a role whose file is missing is
        kept for a while.
        """
        async with self._lock:
            old = self.now
            missed = {} if asked else self._vanished.missed(old.texts)
            try:
                new, later = _until_restart(
                    old, await asyncio.to_thread(self._read, old.configuration.folder, missed)
                )
                desk = await asyncio.to_thread(self._make_desk, new.configuration)
            except Exception as error:
                if isinstance(error, ConfigurationError):
                    error = error.discreet()
                self.unreadable = str(error) or type(error).__name__
                words = f"the configuration can't be used, so the one before it stays in force:\n{error}"
                events.tell(log, "configuration_broken", level=logging.ERROR, words=words)
                return
            self.unreadable = ""
            await self.take_up(desk, new)
            changed = (old.texts, old.broken, old.vanished, old.configuration.settings, self._later) != (
                new.texts,
                new.broken,
                new.vanished,
                new.configuration.settings,
                later,
            )
            self._later = later
            if asked or changed:
                at_restart = f"; {', '.join(later)}: at a restart" if later else ""
                words = f"the configuration was read again{at_restart}"
                _tell_read(new, later, words)
            for line in await asyncio.to_thread(what_is_different, old, new, self._context.now()):
                events.tell(log, "schedule_changed", words=line)
            for broken in new.broken:
                if asked or broken not in old.broken:
                    _log_broken(broken)
            if changed:
                await asyncio.to_thread(self._keep)
            await self._tell_broken()
            await self._tell_vanished()

    async def _tell_vanished(self) -> None:
        if await self._vanished.tell(self.now, self._context.desk, self._context.now()):
            self._wake()

    async def renew(self) -> None:
        """Make the desk again, of the same configuration and new keys.

        A reload that is under way has its turn first, for its desk may be of before that.
        """
        async with self._lock:
            await self.take_up(await asyncio.to_thread(self._make_desk, self.now.configuration), self.now)

    async def take_up(self, desk: Desk, new: Serving) -> None:
        """Work by this from now on."""
        desk.texts = new.texts
        # Of a role that was served before, the desk has the newest handoff; a thousand questions to the store would hold
        # up mail.
        served = self._context.desk.rosters if self._context.desk is not desk else {}
        for role in new.configuration.roles:
            if role.key not in served and (handoff := await self._store.reader.handoff(role.key)) is not None:
                desk.handoffs[role.key] = current(handoff)
        # From here on nothing is waited for: what is handed over meanwhile is in the desk before, or in this one.
        before = self._context.desk
        if before is not desk:
            desk.handoffs |= {key: known for key, known in before.handoffs.items() if key in desk.rosters}
        self.now = new
        desk.vanished = new.vanished
        self._vanished.note(new.vanished)
        self._context.desk = desk
        await self._taken_up(new.configuration, desk)

    def _keep(self) -> None:
        known, self._kept = self._kept, None
        try:
            self._remember(self.now, known)
            self._kept = self.now.texts
        except OSError as error:
            folder = self.now.configuration.settings.run_folder
            log.error("what was right last can't be kept in %s: %s", folder, error.strerror)

    async def _tell_broken(self) -> None:
        """Tell partners and operator of each broken file, once a text. A mended one is forgotten."""
        broken = {found.key: found for found in self.now.broken}
        roles = {role.key for role in self.now.configuration.roles}
        # Only the first look asks the store about each role: what is told later is told here.
        looked_at = roles if self._told is None else roles & (self._told | broken.keys())
        self._told = set(self._told or ()) | (broken.keys() & roles)
        for key in sorted(looked_at):
            name = f"broken {key}"
            try:
                found = broken.get(key)
                told = await self._store.reader.told(name)
                if found is None:
                    if told not in ("", _WHOLE):
                        self._told.add(key)
                        await self._store.remember_told(name, _WHOLE, milliseconds(self._context.now()))
                    self._told.discard(key)
                    continue
                what = _digest(found)
                if told == what:
                    continue
                if await self._tell(found, name, what):
                    self._wake()
            except MailrouterError as error:
                self._told.add(key)
                log.error("%s: nobody could be told that its file is broken: %s", key, error)

    async def _tell(self, broken: Broken, name: str, what: str) -> bool:
        desk = self._context.desk
        role = self.now.role(broken.key)
        situation = own_situation(desk, role, self._context.now())
        file = f"{broken.key}.yaml"
        postmaster = Person("", "", desk.configuration.settings.postmaster)
        told = [
            schedule_notices.broken(situation, p, broken.problems, file, broken.kept)
            for p in desk.role_at(role, situation.duty.moment).partners
        ]
        # A line may hold what an absence is for.
        discreet = [problem.discreet() for problem in broken.problems]
        alert = schedule_notices.broken(situation, postmaster, discreet, file, broken.kept)
        originals = [Original("notice", notice.recipient, notice.pieces) for notice in told]
        originals.append(Original("alert", alert.recipient, alert.pieces))
        reason = f"the file of {broken.key} is broken"
        return await originate(self._store, role.key, originals, self._context.now(), reason, (name, what))


def _until_restart(old: Serving, new: Serving) -> tuple[Serving, list[str]]:
    """The configuration read, restart-only settings unchanged, and what differs."""
    now, wanted = old.configuration.settings, new.configuration.settings
    later = [name for name in _FIXED if getattr(now, name) != getattr(wanted, name)]
    if not later:
        return new, later
    # Without this, a new run folder would be given a key of its own at once, and mail on its way would be unknown.
    settings = replace(wanted, **{name: getattr(now, name) for name in later})
    return replace(new, configuration=replace(new.configuration, settings=settings)), later


def _digest(broken: Broken) -> str:
    told = "\n".join(map(str, broken.problems)).encode()
    return hashlib.sha256(broken.text + b"\0" + told).hexdigest()[:32]


def _broken_words(broken: Broken) -> str:
    said = "\n".join(str(problem.discreet()) for problem in broken.problems)
    if broken.kept:
        return f"{broken.key}: its file has problems, so what it said before stays in force:\n{said}"
    return f"{broken.key}: its file has problems, so this role takes no mail:\n{said}"


def what_is_different(old: Serving, new: Serving, now: datetime) -> list[str]:
    """``vp-hr: Thursday 3 December: elaine -> laurie``, for each role that differs. Both have it."""
    before = {role.key: role for role in old.configuration.roles}
    after = {role.key: role for role in new.configuration.roles}
    lines = [f"{key}: a new role" for key in after.keys() - before.keys()]
    lines += [f"{key}: this role is gone" for key in before.keys() - after.keys()]
    for key, role in after.items():
        known = before.get(key)
        if known is None or known == role:
            continue
        today = local_day(now, role.time_zone)
        found = summed_up(differences(known, role, today, by_key=True), today)
        lines += [f"{key}: {difference.in_log(today)}" for difference in found[:_MOST_LINES]]
        if len(found) > _MOST_LINES:
            lines.append(f"{key}: and {len(found) - _MOST_LINES} more")
        elif not found:
            lines.append(f"{key}: changed, and nothing is different in who is on")
    return lines
