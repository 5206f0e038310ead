"""Long tables: one row an evaluation, in CSV, Parquet or JSON lines."""
