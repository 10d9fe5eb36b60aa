"""Labelled audio: read, examined, chosen, parted, and joined to calls."""
