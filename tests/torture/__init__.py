"""Torture: the relay under load, ended in every way a machine can end it, again and again, on one store.

    make torture
    python -m tests.torture [--scale 1] [--seed N]

What was answered 250 has to arrive; the table that it prints stands in ``docs/reliability.md``.
"""
