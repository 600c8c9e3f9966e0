"""What things cost, measured side by side in one run: `make bench` prints it, and no test asks for it."""
