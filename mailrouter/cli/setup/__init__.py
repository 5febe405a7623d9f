"""Commands that set up and check a configuration."""
