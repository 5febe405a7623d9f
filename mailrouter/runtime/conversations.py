"""What a conversation has been shown: which handoff a role's copies of it have carried."""

from __future__ import annotations

from collections.abc import Sequence

from mailrouter.message.head import Head
from mailrouter.routing.model import Plan
from mailrouter.runtime.context import Desk, earlier_ids
from mailrouter.schedule.model import Role
from mailrouter.store.protocols import Store


async def version_seen(desk: Desk, store: Store, role: Role, head: Head) -> int:
    """The handoff version that this conversation has carried, 0 for none; read only where it can matter."""
    if role.key not in desk.handoffs or role.handoff != "thread":
        return 0
    ids = earlier_ids(head)
    return await store.shown(desk.conversation(role, ids)) if ids else 0


def shown_by(desk: Desk, plan: Plan, head: Head, roles: Sequence[Role]) -> list[tuple[str, int]]:
    """What to remember of a plan: pairs of a conversation's key and the version that it carries now."""
    if not plan.shown:
        return []
    ids = [*earlier_ids(head), *([head.message_id] if head.message_id else [])]
    by_key = {role.key: role for role in roles}
    return [
        (conversation, version)
        for key, version in plan.shown
        for conversation in desk.conversation(by_key[key], ids)
    ]
