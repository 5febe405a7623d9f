"""The service as a process: read the configuration, serve until a signal, tell of beginning and end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

from mailrouter import __version__, events
from mailrouter.config import Settings
from mailrouter.config.last_good import Serving, serving
from mailrouter.errors import MailrouterError
from mailrouter.service import process
from mailrouter.service.systemd import Supervisor
from mailrouter.service.wiring import Service, name_of

log = logging.getLogger("mailrouter")

LIMIT = 9.8
"""Seconds after which the process ends, whatever hangs: a little more than ``Service.stop`` takes at most."""


async def serve(now: Serving, tell: Callable[[str], None], shadow: bool = False) -> None:
    """Run until SIGTERM or SIGINT; ``tell`` hears one line once mail is taken, and one at the end.

    SIGHUP has the configuration read again; ``shadow`` is for a trial. What started the service is told by sd_notify.
    Raises MailrouterError, OSError.
    """
    service, supervisor = Service(now, shadow), Supervisor()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    await service.start()
    loop.add_signal_handler(signal.SIGHUP, lambda: service.upkeep.run(reload(service, supervisor)))
    process.settle_down()
    web = f", web {name_of(service.web.address)}" if service.web else ""
    started: events.Fields = {
        "version": __version__,
        "listen": service.addresses,
        "relay": service.transport.name,
        "shadow": shadow or None,
    }
    events.tell(log, "started", fields=started, words="mail is taken")
    tell(f"mailrouter ready: smtp {' '.join(service.addresses)}, delivers to {service.transport.name}{web}")
    supervisor.ready(await service.state())
    watching = loop.create_task(supervisor.watch(service.store.answers, service.state))
    await ended.wait()
    events.tell(log, "stopping", words="no more mail is taken; what is under way is being ended")
    supervisor.stopping()
    process.end_within(LIMIT, tell)
    watching.cancel()
    waiting = await service.stop()
    events.tell(log, "stopped", fields={"deliveries": waiting}, words="the service has ended")
    if waiting is None:
        tell("mailrouter stopped; the store can't tell what is still to deliver")
    elif waiting:
        tell(f"mailrouter stopped; {waiting} still to deliver")
    else:
        tell("mailrouter stopped; everything is delivered")


async def reload(service: Service, supervisor: Supervisor) -> None:
    """Read the configuration again, telling the supervisor of both ends."""
    supervisor.reloading()
    try:
        await service.reload()
    except Exception:
        log.exception("the configuration can't be taken up")
    supervisor.ready(await service.state())  # in any case, or systemd would wait for it for ever


def run(
    folder: Path,
    tell: Callable[[str], None],
    settled: Callable[[Settings], None] = lambda settings: None,
    shadow: bool = False,
) -> None:
    """Load the configuration in ``folder`` and serve (see ``serve``); ``settled`` hears of the settings first.

    Raises MailrouterError.
    """
    now = serving(folder, starting=True)
    settled(now.configuration.settings)
    if mine := process.whose(now.configuration.settings):
        raise MailrouterError(mine)
    process.prepare()
    for unsafe in (process.as_root(), *process.surroundings(now.configuration.settings)):
        if unsafe:
            log.warning("%s", unsafe)
    try:
        with asyncio.Runner(loop_factory=process.loop_factory()) as runner:
            runner.run(serve(now, tell, shadow))
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        what = f"{error.filename}: {why}" if error.filename else why
        raise MailrouterError(f"mailrouter can't start: {what}.") from error
