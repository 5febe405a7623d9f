"""YAML read with the place of every value, and its slips explained."""
