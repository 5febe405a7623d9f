"""People's actions on the queue: the same, whether the running service does it or a command with none running."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from mailrouter import events
from mailrouter.clock import now_ms
from mailrouter.delivery.dispatch import Dispatcher
from mailrouter.errors import MailrouterError
from mailrouter.intake.feedback.failures import of_drop
from mailrouter.runtime.context import Desk
from mailrouter.store import ids
from mailrouter.store.ids import DeliveryId, MessageId, Milliseconds
from mailrouter.store.model import Consequence
from mailrouter.store.protocols import Store
from mailrouter.store.selection import ACTIONS, DONE, STEP, Action, NewPath, Selection

log = logging.getLogger("mailrouter.queue")

MOST_NAMED = 100
"""Deliveries that the answer and the log name one by one."""
MOST_WHO = 60
REPORTS_STEP = 20
"""Deliveries in one step where a report may be composed for each: a millisecond or so."""


@dataclass(frozen=True, slots=True)
class Order:
    """The action that somebody (``who``) wants done, and to which deliveries; with ``report`` the senders of what is
    dropped hear of it.
    """

    action: Action
    selection: Selection
    who: str
    report: bool = False

    def data(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "action": self.action,
            "selection": self.selection.data(),
            "who": self.who,
            "report": self.report,
        }

    @classmethod
    def of(cls, data: dict[str, Any]) -> Order:
        """From ``data``. Raises MailrouterError."""
        try:
            action, selection = data["action"], Selection.of(data["selection"])
            if action not in ACTIONS:
                raise ValueError(f"there is no {action!r}")
            who = "".join(c for c in str(data["who"]) if c.isprintable())[:MOST_WHO]
            return cls(action, selection, who, bool(data.get("report")))
        except (KeyError, TypeError, ValueError) as error:
            raise MailrouterError(f"This asks for nothing that can be done to the queue: {error}.") from error


@dataclass(slots=True)
class Done:
    """The result of an action: how many deliveries of how many messages, the first of them by name (queue id, kind,
    recipient), and how many were ``busy``: being sent in that very moment.
    """

    deliveries: int = 0
    messages: int = 0
    busy: int = 0
    reports: int = 0
    named: list[dict[str, str]] = field(default_factory=list)

    def data(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


async def steer(
    store: Store, order: Order, desk: Desk | None = None, dispatcher: Dispatcher | None = None
) -> Done:
    """Do it, in steps that hold up no mail. ``desk`` is needed for reports and for what came back, ``dispatcher`` is the
    running service's.

    What is being sent in this moment is neither dropped nor tried twice; put on hold, it stays there if that attempt does
    not succeed. Raises StoreError; the steps before stay done.
    """
    done, messages = Done(), set[MessageId]()
    meant = await store.steering.meant(order.selection)
    step = REPORTS_STEP if order.report else STEP
    for first in range(0, len(meant), step):
        part = meant[first : first + step]
        mine = [*(dispatcher.recall(part) if dispatcher else ()), *store.seize(part)]
        busy = set(part).difference(mine)
        try:
            changed = await _step(
                store, order, part if order.action in ("hold", "release") else mine, desk, done
            )
            if dispatcher and order.action == "hold":
                dispatcher.keep_back(busy.intersection(changed))
            elif dispatcher:
                dispatcher.let_pass(part)
        except BaseException:
            if dispatcher:
                dispatcher.offer([])  # what was taken back from it is due as before
            raise
        finally:
            store.let_go(mine)
        done.busy += len(busy)
        messages.update(ids.messages_of(changed))
    done.messages = len(messages)
    if done.deliveries > len(done.named):
        all_: events.Fields = {"action": order.action, "deliveries": done.deliveries, "by": order.who}
        words = f"{done.deliveries} deliveries in all: {DONE[order.action]}"
        events.tell(log, "queue_changed", fields=all_, words=words)
    if dispatcher and (order.action in ("release", "retry") or done.reports):
        dispatcher.offer([])  # something that is due lies in the store
    return done


async def _step(
    store: Store, order: Order, part: Sequence[DeliveryId], desk: Desk | None, done: Done
) -> list[DeliveryId]:
    """One transaction; adds to ``done`` and gives the ids of what was changed."""
    reports: dict[DeliveryId, Sequence[Consequence]] = {}
    if order.report and order.action == "drop" and desk is not None:
        moment = datetime.now(UTC)
        reader = store.reader
        reports = {d.id: await of_drop(desk, reader, d, moment) for d in await reader.deliveries(part)}
    at = now_ms()
    before = await _numbers(store, reports)

    again: NewPath | None = None
    if order.action == "retry" and desk is not None and "bounced" in order.selection.states:
        again = partial(_new_path, desk, at)
    changed = await store.steering.change(order.action, part, at, order.who, reports, again)
    done.reports += await _numbers(store, reports) - before
    done.deliveries += len(changed)
    what = DONE[order.action]
    for delivery in await store.reader.deliveries(changed[: MOST_NAMED - len(done.named)]):
        fields: events.Fields = {
            "kind": delivery.kind,
            "role": delivery.role,
            "to": delivery.recipient,
            "by": order.who,
        }
        events.tell(log, _EVENTS[order.action], delivery.queue_id, fields, words=what)
        named = {"id": delivery.queue_id, "kind": delivery.kind, "recipient": delivery.recipient}
        done.named.append(named)
    return changed


_EVENTS = {"hold": "held", "release": "released", "drop": "dropped", "retry": "retried"}


def _new_path(desk: Desk, at: Milliseconds, roles: Sequence[str], new: DeliveryId) -> str:
    known = {role.key: role for role in desk.configuration.roles}
    role = next((known[key] for key in roles if key in known), None)
    return desk.return_paths.of(role.address, new, at) if role else ""


async def _numbers(store: Store, reports: dict[DeliveryId, Sequence[Consequence]]) -> int:
    """The number of reports there are of the messages concerned."""
    entries = [await store.reader.entry(message) for message in ids.messages_of(reports)]
    return sum(d.kind == "report" for entry in entries if entry for d in entry.deliveries)
