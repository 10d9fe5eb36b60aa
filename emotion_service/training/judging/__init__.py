"""Finished models on trial: conditions, verdicts, figures."""
