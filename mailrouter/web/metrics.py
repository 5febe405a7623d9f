"""``/metrics``: the service in numbers, in Prometheus' text format.

The service counts in plain numbers where it works; here they are read and named. No address, subject or secret is in
any of them: labels are reply codes, kinds, outcomes and the keys of roles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mailrouter import __version__
from mailrouter.clock import now_ms
from mailrouter.errors import StoreError
from mailrouter.moments import day_of
from mailrouter.store.model import Room, Standing
from mailrouter.store.protocols import Store
from mailrouter.store.timings import Timings
from mailrouter.web.pages import Answer, Asked
from mailrouter.web.watched import Watched


class Metrics:
    """The page."""

    def __init__(self, watched: Watched) -> None:
        from prometheus_client import CollectorRegistry, ProcessCollector

        self._watched = watched
        self._collector = _Collector(watched)
        self._registry = CollectorRegistry()
        self._registry.register(self._collector)
        ProcessCollector(registry=self._registry)  # memory, CPU, file descriptors, start time

    async def __call__(self, asked: Asked) -> Answer:
        """See the module."""
        from prometheus_client.exposition import choose_encoder

        self._collector.stored = await _stored(self._watched.store)
        encode, content_type = choose_encoder(asked.fields.get("accept", ""))
        return Answer(200, content_type, encode(self._registry))


Stored = tuple[Standing, dict[str, int]]
"""How the queue stands, and what caps have kept back today."""


async def _stored(store: Store) -> Stored | None:
    """None where the store can't be read."""
    try:
        return await store.reader.standing(), await store.reader.capped(day_of(now_ms()))
    except StoreError:
        return None


class _Collector:
    """``stored`` is what the store has said; the library that asks for the families doesn't wait."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self.stored: Stored | None = None

    def describe(self) -> list[Any]:
        """Nothing is read to be registered."""
        return []

    def collect(self) -> Iterator[Any]:
        """All families of the service's own."""
        yield from self._door()
        yield from self._delivery()
        yield from self._store()
        yield from self._handoffs()
        yield _gauge("build_info", "Which version runs", 1, version=__version__)

    def _door(self) -> Iterator[Any]:
        traffic = self._watched.traffic
        yield _counter("messages_accepted", "Messages answered 250", traffic.accepted)
        yield _counter("octets_accepted", "Octets of messages answered 250", traffic.octets)
        refusals = _family("Counter")(
            "mailrouter_refusals", "Refusals said to clients, by reply code", labels=["code"]
        )
        for code, number in sorted(traffic.refused.items()):
            refusals.add_metric([code], number)
        yield refusals
        limited = _family("Counter")(
            "mailrouter_limited", "Sessions sent away for what they took of what all share", labels=["reason"]
        )
        for reason, number in sorted(traffic.limited.items()):
            limited.add_metric([reason], number)
        yield limited
        yield _counter("sessions", "SMTP sessions begun", traffic.sessions)
        yield _gauge(
            "held_bytes",
            "Octets of messages and commands in memory that are arriving",
            self._watched.sessions.held,
        )
        yield _gauge("sessions_open", "SMTP sessions that are open", len(self._watched.sessions))

    def _delivery(self) -> Iterator[Any]:
        dispatcher, hop = self._watched.dispatcher, self._watched.next_hop
        attempts = _family("Counter")(
            "mailrouter_delivery_attempts",
            "Attempts to deliver, by kind (copy, reply, ...) and outcome (queued: tried again later)",
            labels=["kind", "outcome"],
        )
        for (kind, outcome), number in sorted(dispatcher.attempts.items()):
            attempts.add_metric([kind, outcome], number)
        yield attempts
        yield _histogram("delivery_seconds", "From taking a message to delivering it", dispatcher.waited)
        yield _gauge(
            "unrecorded_outcomes",
            "Deliveries made that the store could not record yet",
            dispatcher.unrecorded,
        )
        yield _gauge("next_hop_trouble", "1 while the next hop can't be used", int(bool(hop.trouble)))
        yield from self._mailboxes()
        errors = self._watched.configuration_errors()
        yield _gauge(
            "configuration_errors", "Files of the configuration that can't be read as they are", errors
        )

    def _mailboxes(self) -> Iterator[Any]:
        desk = self._watched.desk()
        if desk is None:
            return
        bounces = _family("Counter")(
            "mailrouter_bounces",
            "Reports that came to copies' return paths, by kind (failed: a copy came back)",
            labels=["kind"],
        )
        for kind, number in sorted(desk.mailboxes.reports.items()):
            bounces.add_metric([kind], number)
        yield bounces
        failing = desk.mailboxes.failing(now_ms())
        yield _gauge(
            "mailboxes_failing",
            "Mailboxes that mail has not been reaching, for however short a time",
            failing,
        )

    def _store(self) -> Iterator[Any]:
        store = self._watched.store
        yield _histogram("store_commit_seconds", "Commits of the store, the sync included", store.commits)
        room = store.room() or Room(0, 0)  # of a store that is gone: readable says so
        yield _gauge("store_bytes", "Size of the store's database and its log", room.taken)
        yield _gauge("store_free_bytes", "Room left on the store's disk", room.free)
        if self.stored is None:
            yield _gauge("store_readable", "0 where the store can't be read", 0)
            return
        standing, capped = self.stored
        yield _gauge("store_readable", "0 where the store can't be read", 1)
        yield from self._capped(capped)
        queue = _family("Gauge")("mailrouter_queue", "Deliveries in the queue, by state", labels=["state"])
        queue.add_metric(["queued"], standing.queued)
        queue.add_metric(["held"], standing.held)
        queue.add_metric(["failed"], standing.failed)
        yield queue
        now = now_ms()
        oldest = (now - standing.oldest) / 1000 if standing.oldest is not None else 0.0
        overdue = max(0.0, (now - standing.due) / 1000) if standing.due is not None else 0.0
        yield _gauge("queue_oldest_seconds", "Age of the oldest delivery that is queued", max(0.0, oldest))
        yield _gauge("queue_overdue_seconds", "How long the delivery due first has been due", overdue)
        yield _counter("handoffs", "Versions of handoffs kept since the store was made", standing.handoffs)

    def _capped(self, numbers: Mapping[str, int]) -> Iterator[Any]:
        capped = _family("Gauge")(
            "mailrouter_capped_today",
            "Messages of ours that were not sent, for enough were today (UTC), by kind",
            labels=["kind"],
        )
        for kind, number in sorted(numbers.items()):
            capped.add_metric([kind], number)
        yield capped

    def _handoffs(self) -> Iterator[Any]:
        ages = _family("Gauge")(
            "mailrouter_handoff_written_timestamp_seconds",
            "When the current handoff was written",
            labels=["role"],
        )
        for role, handoff in sorted(self._watched.desk().handoffs.items()):
            ages.add_metric([role], handoff.written_at.timestamp())
        yield ages


def _family(kind: str) -> Any:
    from prometheus_client import core

    return getattr(core, f"{kind}MetricFamily")


def _counter(name: str, says: str, value: float) -> Any:
    return _family("Counter")(f"mailrouter_{name}", says, value=value)


def _gauge(name: str, says: str, value: float, **labels: str) -> Any:
    family = _family("Gauge")(f"mailrouter_{name}", says, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family


def _histogram(name: str, says: str, timings: Timings) -> Any:
    buckets, sum_ = [], 0
    for bound, count in zip((*map(str, timings.bounds), "+Inf"), timings.counts, strict=True):
        sum_ += count
        buckets.append((bound, sum_))
    return _family("Histogram")(f"mailrouter_{name}", says, buckets=buckets, sum_value=timings.total)
