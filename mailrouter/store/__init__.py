"""Where accepted mail lives until it is delivered, with the memories that belong to it."""
