"""Which client an organisation probably is, by name."""
