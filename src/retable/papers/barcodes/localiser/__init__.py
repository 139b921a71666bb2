"""Where barcodes are in a photo: a U-Net's masks, and four corners of each."""
