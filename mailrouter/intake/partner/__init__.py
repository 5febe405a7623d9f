"""Mail to a role's addresses for partners, from the door to its effects."""
