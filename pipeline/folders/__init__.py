"""Folders of whole files: on a local disk, or under a prefix of an object store."""
