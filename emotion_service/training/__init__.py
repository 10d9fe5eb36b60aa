"""Fits, proves and exports models with the code that serves. Never imported by the rest."""
