"""Values of the configuration's files: times, durations, zones, addresses, recurrence."""
