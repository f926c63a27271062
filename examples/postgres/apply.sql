-- Applies what `sluice follow --positions` printed, and keeps where it ended, in one transaction: after
-- a crash of anybody the same lines come again, and do no harm.
\set ON_ERROR_STOP on
BEGIN;
CREATE TEMPORARY TABLE told (n bigserial, line text) ON COMMIT DROP;
-- Not CSV at all: no line of JSON holds these characters as they are.
\copy told (line) FROM pstdin WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')

-- Taken apart as text, because PostgreSQL reads no JSON that says \u0000. The members have this order, and
-- a quote inside a string is never without its backslash.
CREATE TEMPORARY TABLE parts ON COMMIT DROP AS
SELECT n,
       substring(line FROM '^{"position":"([0-9.]+)"}$') AS position,
       substring(line FROM '^{"seq":(\d+)')::bigint AS seq,
       substring(line FROM '^{"seq":\d+,"change":"(\w+)"') AS change,
       substring(line FROM '^{"seq":\d+,"change":"\w+","key":("([^"\\]|\\.)*")') AS key,
       substring(line FROM '"rows":(.*?),"value(_base64)?":') AS rows,
       substring(line FROM ',"value":(.*)}$') AS value
FROM told;

-- What follows the last position belongs to a batch that was cut short.
DELETE FROM parts
WHERE n > coalesce((SELECT max(n) FROM parts WHERE position IS NOT NULL), 0);
-- Of each message the last word counts.
CREATE TEMPORARY TABLE last_word ON COMMIT DROP AS
SELECT DISTINCT ON (seq) * FROM parts WHERE seq IS NOT NULL ORDER BY seq, n DESC;

DELETE FROM messages USING last_word
WHERE messages.seq = last_word.seq AND change = 'gone';
INSERT INTO messages (seq, key, rows, value)
SELECT seq, key::json, coalesce(rows, '[]')::json, value::json
FROM last_word WHERE change <> 'gone'
ON CONFLICT (seq) DO UPDATE SET key = excluded.key, rows = excluded.rows, value = excluded.value;

INSERT INTO follow_position (position)
SELECT position FROM parts WHERE position IS NOT NULL ORDER BY n DESC LIMIT 1
ON CONFLICT (only_row) DO UPDATE SET position = excluded.position;
COMMIT;
