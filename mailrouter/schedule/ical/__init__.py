"""Calendar feeds (RFC 5545) of a schedule."""
