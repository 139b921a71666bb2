"""plate_net: a small detector of our own, without anchors, that also finds the four corners of each plate."""
