"""What detectors share, by box format: module, tiles, training samples, transforms, pictures, prediction."""
