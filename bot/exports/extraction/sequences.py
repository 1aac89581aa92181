"""The state of the source's sequences."""

from __future__ import annotations

from psycopg import Connection

from bot.domain.exports import Sequence, TableName

_SEQUENCES = """
    SELECT s.schemaname, s.sequencename, s.last_value
    FROM pg_catalog.pg_sequences s
    WHERE s.schemaname NOT LIKE 'pg\\_%' AND s.schemaname <> 'information_schema'
      AND has_sequence_privilege(format('%I.%I', s.schemaname, s.sequencename), 'SELECT')
    ORDER BY 1, 2
"""


def read_sequences(connection: Connection) -> tuple[Sequence, ...]:
    """Return the sequences that the connection may read, with their last values."""
    return tuple(
        Sequence(TableName(schema, name), last)
        for schema, name, last in connection.execute(_SEQUENCES).fetchall()
    )
