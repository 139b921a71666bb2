"""The papers: for each its datasets, scene generator, networks and LightningModules."""
