"""Painting: projecting points, sampling pixels, settling overlaps."""
