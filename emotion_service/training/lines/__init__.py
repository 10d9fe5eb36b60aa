"""What happens to a clip between the mouth and the serving decoder."""
