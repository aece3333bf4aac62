"""What is known of users at a moment."""
