"""From facts to sentences: strings of a language, templates, numbers by locale."""
