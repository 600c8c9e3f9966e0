"""What people consented to, and when that runs out by the practice's own term."""
