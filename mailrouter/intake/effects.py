"""What a message brings about, decided and not yet done."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mailrouter.intake.partner.decide import Handing
from mailrouter.routing.model import Plan
from mailrouter.store.model import Outcome

NO_PLAN = Plan((), None, ())


@dataclass(frozen=True, slots=True)
class Effects:
    """The sum of what the purposes of a message's recipients come to.

    ``plan`` has the copies, the automatic reply and the reasons of everything; ``handing`` what partners asked for,
    with our messages to them; ``outcomes`` what the message reports of other deliveries.
    """

    plan: Plan = NO_PLAN
    handing: Handing = field(default_factory=Handing)
    outcomes: tuple[Outcome, ...] = ()

    @property
    def deliveries(self) -> int:
        """How many deliveries it brings: copies, companions and messages to partners."""
        copies = sum(1 + (copy.companion is not None) for copy in self.plan.copies)
        return copies + len(self.handing.notices)

    def because(self, *reasons: str) -> Effects:
        """The same, with these reasons before its own."""
        return replace(self, plan=replace(self.plan, reasons=(*reasons, *self.plan.reasons)))
