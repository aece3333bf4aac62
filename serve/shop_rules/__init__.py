"""The shop's rules under a running server: where they are kept, and which are in force."""
