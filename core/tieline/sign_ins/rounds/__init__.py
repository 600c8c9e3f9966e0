"""The rounds of sign-ins: each one trip to a consent page and back."""
