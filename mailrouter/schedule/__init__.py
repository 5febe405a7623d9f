"""Who is on, when, and why: a pure calculation over what the partners wrote."""
