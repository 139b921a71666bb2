"""LARSD: locality-aware rotated ship detection (Liu, Bai and Li)."""
