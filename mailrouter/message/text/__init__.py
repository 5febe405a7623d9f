"""Text of messages: charsets, HTML, encoded words, and the writing of new fields."""
