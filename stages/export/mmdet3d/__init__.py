"""MMDetection3D 1.x: raw points, infos of version 1.1, ground-truth database, configuration."""
