"""What data looks like: records, Arrow schemas, array specs, settings and errors. No I/O and no heavy import."""
