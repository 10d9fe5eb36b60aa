"""Hop 6: cues and attributes become advice, by one rule set. Pure: no clock, no other stage."""
