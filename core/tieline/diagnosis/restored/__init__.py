"""A deployment that came out of a backup: what of that moment may not be believed any more."""
