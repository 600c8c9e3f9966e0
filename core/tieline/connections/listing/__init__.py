"""Lists of connections, such as all that hang on one person's consent."""
