"""Queued mail looked at again before it leaves, and actions on the queue."""
