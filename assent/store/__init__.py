"""Tables, queries and migrations: the configuration's truth and the projection of runs."""
