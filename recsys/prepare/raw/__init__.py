"""From stored bytes to lines and rows: containers, encodings, dialects, quotes. `formats` says what the rows mean."""
