"""Oddities of a schedule that is valid."""
