"""What classifiers share, by class list: module, models without gradients, metrics, pictures, prediction."""
