"""`python -m emotion_service`."""

from emotion_service.cli import main

main()
