"""Pictures of frames and of tables."""
