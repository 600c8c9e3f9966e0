"""The practice as its callers see it."""
