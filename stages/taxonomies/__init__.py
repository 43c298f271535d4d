"""Taxonomies and mappings between them, kept as data under `data/`."""
