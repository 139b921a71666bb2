"""Training of the GANs: losses, latent optimisation, penalties, and the LightningModule."""
