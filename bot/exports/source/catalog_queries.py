"""The queries over pg_catalog, for servers 13 to 18. Each reads one kind of object of the whole database."""

TABLES = """
WITH tables AS (
  SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition,
         (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = c.oid AND NOT c.relispartition ORDER BY i.inhseqno LIMIT 1)
           AS parent,
         CASE WHEN c.relkind = 'p' THEN c.oid WHEN c.relispartition THEN pg_partition_root(c.oid) END AS root,
         greatest(c.reltuples, 0) AS tuples
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence IN ('p', 'u')
    AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
), leaves AS (
  SELECT root, sum(tuples) AS tuples, sum(pg_table_size(oid)) AS size FROM tables WHERE relispartition AND relkind = 'r' GROUP BY root
)
SELECT t.oid::bigint, t.nspname, t.relname,
       CASE WHEN t.relkind = 'p' THEN 'partitioned' WHEN t.parent IS NOT NULL THEN 'inherited' ELSE 'table' END,
       pn.nspname, p.relname,
       CASE WHEN t.relkind = 'p' THEN coalesce(l.tuples, 0) ELSE t.tuples END::bigint,
       CASE WHEN t.relkind = 'p' THEN coalesce(l.size, 0) ELSE pg_table_size(t.oid) END::bigint,
       has_table_privilege(t.oid, 'SELECT')
FROM tables t LEFT JOIN leaves l ON l.root = t.oid
LEFT JOIN pg_class p ON p.oid = t.parent LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE NOT t.relispartition ORDER BY t.nspname, t.relname
"""

PARTITIONS = """
SELECT c.oid::bigint, pg_partition_root(c.oid)::oid::bigint FROM pg_class c WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f')
"""

COLUMNS = """
WITH RECURSIVE below AS (
  SELECT d.oid AS type, d.typbasetype AS base, d.typtypmod AS modifier, d.typnotnull AS required,
         EXISTS (SELECT FROM pg_constraint k WHERE k.contypid = d.oid AND k.contype = 'c') AS checked
  FROM pg_type d WHERE d.typtype = 'd'
  UNION ALL
  SELECT b.type, d.typbasetype, greatest(b.modifier, d.typtypmod), b.required OR d.typnotnull,
         b.checked OR EXISTS (SELECT FROM pg_constraint k WHERE k.contypid = d.oid AND k.contype = 'c')
  FROM below b JOIN pg_type d ON d.oid = b.base AND d.typtype = 'd'
), domains AS (
  SELECT b.* FROM below b JOIN pg_type t ON t.oid = b.base AND t.typtype <> 'd'
)
SELECT a.attrelid::bigint, a.attname, format_type(a.atttypid, a.atttypmod),
       CASE WHEN e.type IS NOT NULL THEN format_type(e.base, NULL) || '[]'
            ELSE format_type(coalesce(d.base, a.atttypid), NULL) END,
       a.attnotnull OR coalesce(d.required, false),
       a.attgenerated <> '', a.attidentity <> '',
       CASE WHEN coalesce(d.base, a.atttypid) IN ('bpchar'::regtype, 'varchar'::regtype)
            THEN greatest(greatest(a.atttypmod, d.modifier) - 4, 0) ELSE 0 END,
       coalesce(d.checked, false) OR coalesce(e.checked, false)
         OR EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND a.attnum = ANY (k.conkey))
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN domains d ON d.type = a.atttypid
LEFT JOIN domains e ON t.typcategory = 'A' AND e.type = t.typelem
WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid = ANY (%s::oid[])
ORDER BY a.attrelid, a.attnum
"""

KEYS = """
SELECT i.indrelid::bigint, i.indisprimary,
       i.indisunique AND NOT i.indisexclusion AND i.indpred IS NULL AND 0 <> ALL (i.indkey::smallint[]),
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = i.indrelid AND a.attnum > 0 AND (
               a.attnum = ANY ((i.indkey::smallint[])[0:i.indnkeyatts - 1])
               OR 0 = ANY (i.indkey::smallint[]) AND EXISTS (
                 SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
                 AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum))
             ORDER BY coalesce(array_position((i.indkey::smallint[])[0:i.indnkeyatts - 1], a.attnum), 1000 + a.attnum))
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
WHERE (i.indisunique OR i.indisexclusion) AND i.indisvalid AND i.indrelid = ANY (%s::oid[])
ORDER BY i.indrelid, NOT i.indisprimary, x.relname
"""

FOREIGN_KEYS = """
SELECT k.conrelid::bigint, k.confrelid::bigint, k.conname,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY c(n, i)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.n ORDER BY c.i),
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY c(n, i)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = c.n ORDER BY c.i)
FROM pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0
ORDER BY k.conrelid, k.conname
"""

EXTENSIONS = "SELECT extname FROM pg_extension ORDER BY extname"
LARGE_OBJECTS = "SELECT count(*) FROM pg_largeobject_metadata"
