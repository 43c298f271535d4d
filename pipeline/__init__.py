"""The engine, which knows nothing of LiDAR: shards, stores, ledger, executors, events, progress."""
