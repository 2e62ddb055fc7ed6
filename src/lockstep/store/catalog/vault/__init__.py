"""The store of history: Parquet files by instrument and period, which appear whole or not at all."""
