"""Git histories as data: read, turned into features, labelled by what their fixes blame, written as Parquet."""
