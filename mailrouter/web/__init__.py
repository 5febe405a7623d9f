"""Metrics and health pages, on a listener of their own. It is off unless ``web:`` is set.

Read-only: GET and HEAD, nothing else. The libraries behind it are the extra ``web``, imported only where it is used.
"""
