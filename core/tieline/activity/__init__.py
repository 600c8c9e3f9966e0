"""Who did what, and when: kept for years, with ids and words of the product only."""
