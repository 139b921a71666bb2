"""Metrics that two papers share."""
