"""Searching hyperparameters: each trial is a run, and Optuna says which values to try next."""
