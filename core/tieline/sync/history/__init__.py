"""The runs that were, as callers may see them."""
