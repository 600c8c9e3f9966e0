"""Syncs: asking for one, following it, and those that were."""
