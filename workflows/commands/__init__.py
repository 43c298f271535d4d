"""The commands of `paintpipe`, one a module: each parses, calls a job and prints what it says."""
