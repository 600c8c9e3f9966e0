"""What the providers' limits still allow, as people are told it: of a connection, and of the practice's apps."""
