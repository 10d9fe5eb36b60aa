"""The protocols that calls arrive by. One file a protocol; `stream` is what they all drive."""
