"""``mailrouter rotate-key``: a new key, by the running service or, with none running, beside it."""

from __future__ import annotations

import argparse
import textwrap

from mailrouter.cli.common import load_settings, width
from mailrouter.clock import now_ms
from mailrouter.runtime import keys
from mailrouter.service.control import ask
from mailrouter.store.opening import held


def rotate_key(options: argparse.Namespace) -> int:
    """Make a new key the current one, and print the old's end."""
    settings = load_settings(options)
    done = ask(settings.run_folder / "mailrouter.sock", {"do": "rotate-key"})
    if done is None:
        with held(settings.store):
            made = keys.rotate(settings.run_folder / keys.NAME, now_ms())
        done = {"until": keys.moment_written(made.earlier[0][1])}
    words = f"A new key is in force. By the one before it, bounces and loops are known until {done['until']}."
    words += " So are the addresses of calendar feeds, each of which says in the calendar itself that it ends; tell"
    words += " their readers the new ones: mailrouter calendar-address."
    print(textwrap.fill(words, width()))
    return 0
