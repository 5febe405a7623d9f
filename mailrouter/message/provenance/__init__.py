"""Where a message comes from: hops, senders, signatures and verdicts."""
