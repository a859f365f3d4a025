"""Use cases as short lists of steps; each returns a Result."""
