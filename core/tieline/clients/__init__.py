"""The businesses a practice looks after."""
