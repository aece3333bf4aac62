"""The results of an evaluation, for people: tables, charts, a page of HTML, a summary in the terminal."""
