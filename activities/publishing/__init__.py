"""A release goes out: to the house's own store, to video platforms; confirmed, and taken back."""
