"""The records of organisations' books, as syncs brought them."""
