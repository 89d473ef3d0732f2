"""Single operators at representative sizes."""
