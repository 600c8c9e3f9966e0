"""Members: who belongs to the practice, what each may, and which clients each sees."""
