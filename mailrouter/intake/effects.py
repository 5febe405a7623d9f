"""The effects of a message, decided and not yet done."""

from __future__ import annotations

from typing import NamedTuple

from mailrouter.intake.partner.decide import NO_HANDING, Handing
from mailrouter.routing.model import Plan
from mailrouter.store.model import Outcome

NO_PLAN = Plan((), None, ())


class Effects(NamedTuple):
    """The sum of what the purposes of a message's recipients come to.

    ``plan`` has the copies, the automatic reply and the reasons of everything; ``handing`` what partners asked for,
    with our messages to them; ``outcomes`` what the message reports of other deliveries.
    """

    plan: Plan = NO_PLAN
    handing: Handing = NO_HANDING
    outcomes: tuple[Outcome, ...] = ()

    @property
    def deliveries(self) -> int:
        """The number of deliveries: copies, companions and messages to partners."""
        copies = sum(1 + (copy.companion is not None) for copy in self.plan.copies)
        return copies + len(self.handing.notices)

    def because(self, *reasons: str) -> Effects:
        """The effects with these reasons before their own."""
        return self._replace(plan=self.plan._replace(reasons=(*reasons, *self.plan.reasons)))
