"""From the store to the next hop: claim, send, settle."""
