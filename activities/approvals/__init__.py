"""Questions put before reviewers."""
