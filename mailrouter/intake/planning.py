"""The decision about a message that has arrived, whatever goes wrong on the way to it.

A fault of ours must neither lose nor hold up mail: where the full plan can't be made, plain copies are;
where even those can't, the whole message goes to every partner as it came.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailrouter.message.head import Head
from mailrouter.message.shape import Shape
from mailrouter.routing.model import Plan, Situation
from mailrouter.routing.plan import last_resort, plain_plan, plan_in_steps
from mailrouter.runtime.context import Desk
from mailrouter.schedule.model import Role
from mailrouter.turns import Steps

log = logging.getLogger("mailrouter.intake")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message for these roles, as it stands at the door. ``head`` is None where it could not be read.

    ``seen`` tells the handoff version that the conversation has carried in a role; ``name`` is the queue id.
    ``to_handoff`` are the keys of roles at whose handoff address, or return path, alone it came; ``client`` is the
    address of who handed it in.
    """

    name: str
    roles: Sequence[Role]
    head: Head | None
    shape: Shape
    reverse_path: str
    received: bytes
    moment: datetime
    seed: bytes
    seen: Callable[[Role], int]
    next_hop_size: int | None = None
    to_handoff: frozenset[str] = frozenset()
    client: str | None = None


def decide(desk: Desk, arrival: Arrival) -> Steps[Plan]:
    """The plan, in steps; after a fault of ours the most that can be had without what is at fault."""
    fault = "of a fault in reading its header"
    if arrival.head is not None:
        try:
            return (yield from _plan(desk, arrival.head, arrival))
        except Exception as error:
            log.exception("%s: planning failed; plain copies are sent", arrival.name)
            fault = f"of a fault in planning ({type(error).__name__})"
        try:
            return (yield from _plan(desk, arrival.head, arrival, fault))
        except Exception:
            log.exception("%s: planning plain copies failed; every partner gets the mail", arrival.name)
    roles = [(desk.role_at(role, arrival.moment), desk.loop_marks[role.key]) for role in arrival.roles]
    return last_resort(roles, arrival.shape.size, arrival.reverse_path, arrival.received, fault)


def _plan(desk: Desk, head: Head, arrival: Arrival, fault: str = "") -> Steps[Plan]:
    situations: list[Situation] = []
    for role in arrival.roles:
        seen = 0 if fault else arrival.seen(role)
        situations.append((yield from situation_in_steps(desk, role, head, arrival, seen)))
    if fault:
        return plain_plan(head, arrival.shape, situations, fault)
    return (yield from plan_in_steps(head, arrival.shape, situations))


def situation_in_steps(
    desk: Desk, role: Role, head: Head, arrival: Arrival, handoff_seen: int = 0
) -> Steps[Situation]:
    """The facts of one role for what has arrived."""
    yield from desk.rosters[role.key].duty_in_steps(arrival.moment)
    return desk.situation(
        role,
        head,
        reverse_path=arrival.reverse_path,
        moment=arrival.moment,
        received=arrival.received,
        seed=arrival.seed,
        handoff_seen=handoff_seen,
        next_hop_size=arrival.next_hop_size,
        to_handoff=role.key in arrival.to_handoff,
        client=arrival.client,
    )
