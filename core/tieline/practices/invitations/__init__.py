"""Invitations: somebody is asked into the practice, or to one client, and comes with a token of the issuer."""
