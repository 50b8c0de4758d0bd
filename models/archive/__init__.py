"""The archive: what the line's topics held, as rows that a batch job reads. Tables, their files' names, their order."""
