"""Drawings from files: what lies where, who drew it, and how an image becomes a canvas."""
