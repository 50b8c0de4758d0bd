"""What puts records on the line."""
