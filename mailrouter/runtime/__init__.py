"""What a running service knows: the configuration made ready, keys, templates, and how mailboxes do."""
