"""What happens to data: pure functions and small classes, arrays in and arrays out."""
