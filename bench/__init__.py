"""Measures the pages: statements, times and sizes, beside a floor measured in the same run."""
