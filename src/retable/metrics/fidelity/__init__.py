"""How close generated images come to real ones: FID, IS, KID, precision and recall on the features of an extractor."""
