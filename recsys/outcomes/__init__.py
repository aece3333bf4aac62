"""What became of served lists: which were seen, clicked, bought from, and by what they were made."""
