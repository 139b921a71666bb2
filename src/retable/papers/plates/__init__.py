"""Multilanguage number plate detection [Gupta, Saini and Garg]: data, networks and rivals."""
