"""Hop 5: both legs' activity and scores become cues. Pure: no clock, no I/O, no other stage."""
