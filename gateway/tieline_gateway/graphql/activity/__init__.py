"""Who did what, as practice admins see it."""
