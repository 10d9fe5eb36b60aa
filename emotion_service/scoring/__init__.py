"""Feature frames to scores: the only place where calls meet."""
