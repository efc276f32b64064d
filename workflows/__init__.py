"""Verbs over time: deterministic; they import temporalio, models and activity signatures only."""
