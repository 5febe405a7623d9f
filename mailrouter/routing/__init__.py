"""Pure decisions about a message, over facts read before."""
