"""What is printed: codes, symbols with their digits, labels, packages."""
