"""Accepted mail until it is delivered, with its memories."""
