"""Nouns: contracts, states, tables, errors, policy. No I/O except store.py."""
