"""The interactive page of one frame in three dimensions."""
