"""Checks of queued mail before it leaves, and actions on the queue."""
