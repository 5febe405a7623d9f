"""What is to become of a message: pure decisions over facts that were read before."""
