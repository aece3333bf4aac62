"""What an evaluation found, for people: tables, charts, a page of HTML, a summary in the terminal."""
