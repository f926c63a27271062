-- One row for each message that the view has, and how far the database has been followed.
CREATE TABLE IF NOT EXISTS messages (
    seq   bigint PRIMARY KEY,
    key   json,           -- The application key, a string.
    rows  json NOT NULL,  -- The keys that the message has in the view.
    value json            -- Null: it is no JSON, and said nothing that this table keeps.
);
CREATE TABLE IF NOT EXISTS follow_position (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position text NOT NULL
);
