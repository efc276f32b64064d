"""Histories of renders as they were recorded, replayed against the code as it is."""
