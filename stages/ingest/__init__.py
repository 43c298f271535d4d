"""Dataset readers: from files as published to catalog rows."""
