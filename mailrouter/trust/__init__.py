"""Whose mail this is: what proves that something came from us, or from whom it says. All pure."""
