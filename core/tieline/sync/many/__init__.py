"""Asking for the syncs of many clients at once."""
