/** The part of the first migration that counts what rows alone would forget: a purge must not lower a counter. */
export const metrics = `
  create table metric_counters (
    name text not null,
    -- The values of the metric's labels, in the order in which it declares them, as a JSON list.
    labels text not null,
    value real not null check (value >= 0),
    primary key (name, labels)
  ) strict, without rowid;

  -- What happened in a window of time is read from the rows themselves, by these.
  create index jobs_by_creation on jobs (created_at, type);
  create index jobs_by_end on jobs (completed_at, type, status) where completed_at is not null;
`;
