"""The firm: practices, the people in them, teams, and the keys they call with."""
