"""Raw files to a prepared dataset. Reading a prepared dataset needs neither DuckDB nor a decoder."""
