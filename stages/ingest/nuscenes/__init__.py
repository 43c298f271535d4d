"""nuScenes: its tables, and the way from them to catalog rows."""
