"""The detectors that the paper's Table III compares: image processing proposes, and each judges in its own way."""
