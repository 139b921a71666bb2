"""Classical models: features, an estimator that fits once, and its way into a checkpoint."""
