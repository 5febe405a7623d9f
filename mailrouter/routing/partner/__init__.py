"""Decisions about mail to a role's addresses for partners."""
