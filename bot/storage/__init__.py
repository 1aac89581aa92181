"""The database: one class of rows a table, on SQLite and Postgres."""
