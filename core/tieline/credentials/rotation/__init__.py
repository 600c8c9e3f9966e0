"""Sealing everything anew under the ring's first key, while all goes on."""
