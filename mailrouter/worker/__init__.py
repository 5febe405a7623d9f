"""A process of its own for work on what strangers send: limited in time and memory, and one request at a time."""
