"""A shop's own rules: what they may say, the language of their conditions, and what they do to lists."""
