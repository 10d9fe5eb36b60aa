"""What people see of a call in a terminal."""
