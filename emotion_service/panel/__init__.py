"""The agent panel and the supervisor wall: a process of its own, a client like any other."""
