"""Why an item is in a list, or is not; texts of that, and blurbs of items."""
