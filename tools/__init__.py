"""Makes the parts of the documentation that follow from the code, and checks the built site."""
