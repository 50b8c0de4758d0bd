"""Learners side by side: one interface over jidoka's, river's, scikit-learn's and Vowpal Wabbit's."""
