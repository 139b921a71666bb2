"""Barcodes: from a photo to thirteen digits."""
