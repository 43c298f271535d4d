"""Whole sequences for Foxglove and rerun."""
