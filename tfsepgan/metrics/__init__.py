"""What separation is judged by, in NumPy."""
