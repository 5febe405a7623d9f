"""Messages of our own about mail, to IT and to partners."""
