"""Kafka and Faust: topics, agents, transactions, metrics and the command line."""
