"""Dataset plumbing that papers share: image files, fingerprints, provenance, sampling.

Imported by module: what `retable.data.schema` is needed for must not wait for OpenCV.
"""
