"""The schedule: a pure calculation over what the partners wrote of who is on, when, and why."""
