"""Read event logs in CSV or Parquet."""
