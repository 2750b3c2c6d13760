"""Sweeps: many batteries at once, on threads or a cluster, to a table or a folder."""
