"""Runs that bring our copy of an organisation's books up to date."""
