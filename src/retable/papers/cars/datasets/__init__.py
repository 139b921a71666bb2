"""Folders of pictures of cars."""
