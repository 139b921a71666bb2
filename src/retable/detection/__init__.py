"""What detectors share, whichever format their boxes have: rotated or axis-aligned."""
