"""Mail to addresses for partners, from the door to its effects."""
