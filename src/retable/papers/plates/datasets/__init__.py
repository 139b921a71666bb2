"""Real plates: whole scenes with boxes, and crops."""
