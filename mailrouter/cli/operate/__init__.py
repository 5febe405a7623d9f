"""Commands for the queue, the log, backups and keys."""
