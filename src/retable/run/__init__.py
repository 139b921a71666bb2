"""One run: from a composed configuration to a record on disk."""
