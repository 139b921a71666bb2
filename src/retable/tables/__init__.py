"""Many runs: a table of a paper, its cells, where they run, and what they show."""
