"""Digits from projections of a symbol's columns: boosted trees and a perceptron."""
