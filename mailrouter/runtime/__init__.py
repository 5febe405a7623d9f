"""The knowledge of a running service: the configuration made ready, keys, templates, and how mailboxes do."""
