"""What barcodes are made of, by kind: digits to modules."""
