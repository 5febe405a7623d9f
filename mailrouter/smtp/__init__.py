"""The doors: receiving and sending SMTP. They turn bytes into facts and decisions into replies."""
