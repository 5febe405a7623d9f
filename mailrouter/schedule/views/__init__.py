"""The schedule as people see it: tables, lines, pictures, differences."""
