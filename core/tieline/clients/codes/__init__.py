"""The practice's own codes for its clients, many at once."""
