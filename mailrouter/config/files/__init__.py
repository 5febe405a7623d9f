"""Models of the configuration's files, one a file."""
