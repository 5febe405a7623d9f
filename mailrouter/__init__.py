"""mailrouter: a mail relay for people who share one job."""

__version__ = "0.2.0"
