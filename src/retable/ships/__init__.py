"""Ship detection: datasets, scenes, networks."""
