"""The clients of the practice."""
