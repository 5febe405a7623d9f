"""From a message at the door to a durable plan: facts, decision, commit."""
