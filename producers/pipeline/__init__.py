"""The pipeline file: generate, augment, transpile, verify, train, monitor, each from Parquet to Parquet."""
