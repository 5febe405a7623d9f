"""One delivery that did not arrive, came back, was answered, or is put off: with all that is known of its mail."""

from __future__ import annotations
