"""What a running service does by itself: it sees changed files, tells of broken ones, and sends the weekly mail."""
