import type { Migration } from '../schema.js';

/** Browsers get a session of their own instead of a token, and codes that start one stand for whoever asked for them. */
export const browserSessions: Migration = {
  version: 4,
  name: 'browser-sessions',
  up: (connection) =>
    connection.exec(`
      -- Until now codes were tokens with an end, and each of them let in the owner.
      delete from access_tokens where expires_at is not null;

      -- A code starts one session. Without a token_id it stands for the owner.
      create table access_codes (
        id text primary key,
        hash text not null,
        token_id text references access_tokens (id) on delete cascade,
        is_read_only integer not null check (is_read_only in (0, 1)),
        created_at integer not null,
        expires_at integer not null
      ) strict;
      create index access_codes_by_token on access_codes (token_id);

      -- What a browser's cookie holds, as a hash. It ends with its token, which for the owner is named by its hash.
      create table browser_sessions (
        id text primary key,
        hash text not null,
        token_id text references access_tokens (id) on delete cascade,
        owner_hash text,
        is_read_only integer not null check (is_read_only in (0, 1)),
        created_at integer not null,
        last_used_at integer not null,
        expires_at integer not null,
        check ((token_id is null) = (owner_hash is not null))
      ) strict;
      create index browser_sessions_by_token on browser_sessions (token_id);
    `),
};
