"""Commands about the schedule: who is in, and changes of it."""
