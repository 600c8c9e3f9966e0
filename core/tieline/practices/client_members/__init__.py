"""Client members: people who administer or read a single client."""
