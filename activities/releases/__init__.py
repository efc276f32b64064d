"""A decided track becomes a release: encoded, described, packaged whole, published once."""
