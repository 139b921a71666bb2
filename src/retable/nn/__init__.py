"""Network parts and losses that two papers share."""
