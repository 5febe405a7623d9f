"""Pages for machines, on a listener of their own that is off unless ``web:`` is set: metrics and health.

Read-only: GET and HEAD, nothing else. The libraries behind it are the extra ``web``, imported only where it is used.
"""
