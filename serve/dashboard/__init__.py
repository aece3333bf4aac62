"""The page at /ui/ by which people look at what the API knows: built from `dashboard/`, served from `static/`."""
