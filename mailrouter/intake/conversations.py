"""The memory of what conversations have been shown: which handoff a role's copies of it have carried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mailrouter.intake.received import Received
from mailrouter.routing.model import Plan
from mailrouter.runtime.context import Desk
from mailrouter.schedule.model import Role


class Remembers(Protocol):
    """A store, or what answers for it."""

    async def shown(self, conversations: Sequence[str]) -> int:
        """The newest handoff version that any of these conversation keys has carried; 0 for none."""


async def version_seen(desk: Desk, store: Remembers, received: Received, role: Role) -> int:
    """The handoff version that this conversation has carried, 0 for none; read only where it can matter."""
    if role.key not in desk.handoffs or role.handoff != "thread":
        return 0
    ids = received.conversation
    return await store.shown(desk.conversation(role, ids)) if ids else 0


def shown_by(desk: Desk, plan: Plan, received: Received, roles: Sequence[Role]) -> list[tuple[str, int]]:
    """The memories of a plan: pairs of a conversation's key and the version that it carries now."""
    if not plan.shown:
        return []
    ids = [*received.conversation, *([received.message_id] if received.message_id else [])]
    by_key = {role.key: role for role in roles}
    return [
        (conversation, version)
        for key, version in plan.shown
        for conversation in desk.conversation(by_key[key], ids)
    ]
