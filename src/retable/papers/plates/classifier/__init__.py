"""Which country, language and layout a cut-out plate has: the paper's network."""
