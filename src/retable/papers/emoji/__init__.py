"""Hand-drawn emoji: drawings, networks, classical models and tables of the hand-drawn emoji paper."""
