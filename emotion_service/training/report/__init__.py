"""A page with plots, and the card of a model."""
