"""``mailrouter demo``: the real relay in a folder of its own, a few mails, and what became of each."""
