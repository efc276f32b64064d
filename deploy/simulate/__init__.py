"""A population of artists that lives for years under a skipped clock, with the workflow code of the studio."""
