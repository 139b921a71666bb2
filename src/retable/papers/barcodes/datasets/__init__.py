"""Photos of barcodes: files in the notebook's layout or a plain list, generated ones, and the trainer's loaders."""
