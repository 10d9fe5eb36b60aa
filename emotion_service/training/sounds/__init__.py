"""What is heard on telephone lines and is no speech: generated, and recorded."""
