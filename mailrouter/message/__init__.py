"""Messages as octets: what they are, how they are read, and how copies are made of them. All pure."""
