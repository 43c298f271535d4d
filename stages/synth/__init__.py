"""Synthetic streets with exact ground truth, written in the official file formats."""
