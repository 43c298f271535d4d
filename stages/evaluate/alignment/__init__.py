"""Is a projection right? Depth jumps of the LiDAR against edges of the image (after Levinson and Thrun, RSS 2013)."""
