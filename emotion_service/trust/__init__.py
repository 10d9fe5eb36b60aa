"""Who may be scored."""
