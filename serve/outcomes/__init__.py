"""What came of the lists that were served."""
