"""Generators and discriminators of the essay's GANs, plain modules that know nothing of their training.

A network takes its config, the side of the square images in pixels (32, 64 or 128) and, but for a discriminator of
images alone, the length of the latent vector. A value that makes no network is a `ConfigError`.
"""
