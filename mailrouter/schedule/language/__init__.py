"""Requests in the words that people write in mail."""
