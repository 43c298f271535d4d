"""Networks: architectures, weights, model cards and running them on images."""
