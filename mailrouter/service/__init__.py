"""The running service: its parts wired together, started, watched, reloaded and stopped."""
