"""What is measured side by side. Each module is a program: a consumer of builds that writes one answer per build."""
