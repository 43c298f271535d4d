"""Label files as the benchmarks' servers take them."""
