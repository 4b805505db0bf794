"""What an operator reads: how often a line is written, and what of a client's it may show."""
