"""Attacks, each as a rule that holds against it. What belongs to one app alone is tested beside that app."""
