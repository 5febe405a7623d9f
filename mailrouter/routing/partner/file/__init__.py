"""A role's file that came by mail: found, compared and merged."""
