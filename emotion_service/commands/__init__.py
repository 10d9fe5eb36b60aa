"""What the commands do; cli.py says how they are called."""
