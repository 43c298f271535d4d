"""Wiring: one module per job that a user asks for. Computes nothing itself."""
