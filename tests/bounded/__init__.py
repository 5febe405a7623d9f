"""Readers of what comes from outside, fed with what could hold them up: their work grows with the length, no faster."""
