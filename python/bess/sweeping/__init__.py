"""Sweeps: many batteries at once, on threads, to a table."""
