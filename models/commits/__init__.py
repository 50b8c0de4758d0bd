"""Changes of source code and their defects: what a commit looks like, how risky it is, and what its fix was about."""
