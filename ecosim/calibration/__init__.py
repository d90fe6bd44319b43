"""From national tables to balanced firm networks: tables, recipes, places, flows, and firms that a user brings."""
