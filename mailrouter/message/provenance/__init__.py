"""The provenance of a message: hops, senders, signatures and verdicts."""
