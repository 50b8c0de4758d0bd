"""Python programs, read and never run: what they are made of, and a learner over the last of them."""
