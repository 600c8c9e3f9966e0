"""A person's trip to a provider's consent page and back, and what may be done with what it brought."""
