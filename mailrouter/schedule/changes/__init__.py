"""Changes of a schedule: what is asked for, and the edits that make it."""
