"""Scores of painted points against ground truth."""
