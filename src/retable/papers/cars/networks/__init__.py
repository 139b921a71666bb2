"""Generators and discriminators of the essay's GANs, plain modules that know nothing of their training."""
