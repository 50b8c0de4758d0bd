"""The archive's sink: from the topics to partitioned Parquet, each offset once."""
