"""Delivered messages a second: mailrouter against Postfix that expands a plain alias to two, in interleaved rounds.

    python -m bench.throughput [--messages 4000] [--rounds 3] [--profile]

Each message goes to two: Postfix sends both recipients in one transaction, mailrouter each copy in its own. The time of
a round runs from the first message sent until the sink has the last one.
"""

from __future__ import annotations

import argparse
import pstats
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.load import CountingSink, cpu_seconds, send
from tests.support import postfix
from tests.support.ports import free_port, wait_for_port
from tests.support.relay import ONE_AWAY, PARTNERS, ROLE, Relay, wait_until, write_configuration
from tests.support.sink import Sink

SIZE = 10 * 1024
CONNECTIONS = 10
PLAIN = "note: never\nhandoff: never\nauto_reply: never\ncopy: hidden\n"
HANDOFF = "Done:\n- the budget for next year\n- two interviews\n\nLeft:\n- call Jim\n\nWatch:\n- the audit on Friday\n"


def measured(messages: int, port: int, sink: CountingSink, copies: int) -> float:
    """Messages delivered a second in one round."""
    before = sink.messages
    started = time.monotonic()
    send(port, messages, SIZE, CONNECTIONS, ROLE)
    sink.wait_for(before + messages * copies)
    return messages / (time.monotonic() - started)


class Ours:
    """A relay with the sink as its next hop."""

    def __init__(
        self, folder: Path, role: str, handoff: bool = False, program: Sequence[str] = ("mailrouter", "serve")
    ) -> None:
        self.sink = CountingSink()
        self.config = write_configuration(folder, f"smtp://127.0.0.1:{self.sink.port}", role)
        self.relay = Relay(self.config, program, fresh=True)
        self.cpu: list[float] = []
        if handoff:
            subprocess.run(
                [sys.executable, "-m", "mailrouter", "handoff", "set", "vp-hr", "--author", "laurie",
                 "--config", str(self.config)],
                input=HANDOFF, text=True, check=True, capture_output=True,
            )  # fmt: skip

    def round(self, messages: int) -> float:
        """One round; the CPU a message is noted beside."""
        pid = self.relay.process.pid
        before = cpu_seconds(pid)
        rate = measured(messages, self.relay.port, self.sink, 2)
        self.cpu.append((cpu_seconds(pid) - before) * 1000 / messages)
        return rate

    def sample(self) -> str:
        """Twenty more messages through the very same process into a sink that keeps them: do they say it?"""
        self.sink.__exit__()
        with Sink(self.sink.port) as keeping:
            send(self.relay.port, 20, SIZE, 2, ROLE)
            wait_until(lambda: len(keeping.taken) >= 40, 60, "the sample")
        said = sum(b"Elaine is away" in content and b"call Jim" in content for _, _, content in keeping.taken)
        both = {recipient for _, recipient, _ in keeping.taken} == set(PARTNERS)
        return f"{said} of {len(keeping.taken)} sampled copies carry note and handoff, both partners: {both}"

    def close(self) -> None:
        self.relay.stop()
        self.sink.__exit__()


def profile(folder: Path, messages: int) -> None:
    """One more round under cProfile (its main thread only): where the time goes."""
    with CountingSink() as sink:
        port = free_port()
        config = write_configuration(folder, f"smtp://127.0.0.1:{sink.port}", ONE_AWAY)
        settings = config / "mailrouter.yaml"
        settings.write_text(settings.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        out = folder / "profile"
        process = subprocess.Popen(
            [sys.executable, "-m", "cProfile", "-o", str(out), "-m", "mailrouter", "serve", "--config", str(config)],
            stdout=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip
        wait_for_port(port)
        measured(messages, port, sink, 2)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    print("\nProfile of the event loop's thread, by own time:")
    stats = pstats.Stats(str(out), stream=sys.stdout)
    stats.strip_dirs().sort_stats("tottime").print_stats(25)


def main() -> None:
    """Run the rounds and print a table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--messages", type=int, default=4000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--profile", action="store_true", help="add a round under cProfile")
    chosen = options.parse_args()
    if not postfix.available() or shutil.which("smtp-source") is None:
        sys.exit(f"The comparison needs Postfix: {postfix.WHY_ABSENT}.")
    folder = Path(tempfile.mkdtemp(prefix="mailrouter-bench-", dir=".")).resolve()
    rates: dict[str, list[float]] = {}
    try:
        skeleton = Ours(folder / "skeleton", PLAIN, program=("bench.skeleton",))
        plain = Ours(folder / "plain", PLAIN)
        full = Ours(folder / "full", ONE_AWAY, handoff=True)
        with CountingSink() as sink:
            alias = {
                "virtual_alias_domains": "example.test",
                "virtual_alias_maps": f"inline:{{ {{{ROLE} = laurie@inside.test, elaine@inside.test}} }}",
                "relayhost": f"[127.0.0.1]:{sink.port}",
            }
            with postfix.Postfix(alias) as peer:
                rounds: dict[str, Callable[[int], float]] = {
                    "Postfix, plain alias": lambda messages: measured(messages, peer.port, sink, 1),
                    "mailrouter, skeleton": skeleton.round,
                    "mailrouter, plain copies": plain.round,
                    "mailrouter, note and handoff": full.round,
                }
                for one in rounds.values():
                    one(200)  # warm
                ours = {
                    "mailrouter, skeleton": skeleton,
                    "mailrouter, plain copies": plain,
                    "mailrouter, note and handoff": full,
                }
                for relay in ours.values():
                    relay.cpu.clear()
                for number in range(chosen.rounds):
                    for name, one in rounds.items():
                        rates.setdefault(name, []).append(one(chosen.messages))
                        print(f"round {number + 1}  {name:<30}{rates[name][-1]:8.0f} messages/s", flush=True)
        sample = full.sample()
        for relay in ours.values():
            relay.close()
        base = statistics.median(rates["Postfix, plain alias"])
        print(
            f"\n{chosen.messages} messages of {SIZE} octets, {CONNECTIONS} connections, median of {chosen.rounds} rounds:"
        )
        for name, found in rates.items():
            cpu = ours[name].cpu if name in ours else []
            cost = f"   {statistics.median(cpu):.2f} ms CPU a message" if cpu else ""
            print(
                f"  {name:<30}{statistics.median(found):8.0f} messages/s   {statistics.median(found) / base:.2f} x{cost}"
            )
        print(sample)
        if chosen.profile:
            profile(folder / "profile", chosen.messages)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
