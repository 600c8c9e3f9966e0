"""The books that credentials reach at providers, each known once to a practice."""
