"""A reader of our own: a small network over a symbol's rows, and the most probable of all valid codes."""
