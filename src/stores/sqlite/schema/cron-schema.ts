/**
 * The changes of version 18: the cron scheduler. `cron_jobs` has the jobs, `cron_runs` their runs and the due times that were
 * skipped, `cron_sessions` the sessions of runs whose row is gone, which have to be deleted.
 */
export const SCHEMA_18 = `
  CREATE TABLE cron_jobs (
    job_id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    event TEXT,
    is_enabled INTEGER NOT NULL,
    definition TEXT NOT NULL,
    version INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    base INTEGER NOT NULL,
    last_due INTEGER,
    next_due INTEGER,
    wake_at INTEGER,
    firings INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    told_at INTEGER,
    stopped TEXT,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX cron_jobs_by_wake ON cron_jobs (wake_at) WHERE wake_at IS NOT NULL;
  CREATE INDEX cron_jobs_by_owner ON cron_jobs (tenant, owner);
  CREATE INDEX cron_jobs_by_event ON cron_jobs (event) WHERE event IS NOT NULL;
  CREATE INDEX cron_jobs_by_base ON cron_jobs (base);

  CREATE TABLE cron_runs (
    run INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL,
    tenant TEXT NOT NULL,
    firing_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('scheduled', 'event', 'manual')),
    due INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'done', 'failed', 'skipped')),
    reason TEXT,
    attempt INTEGER NOT NULL DEFAULT 1,
    message TEXT,
    message_ref TEXT,
    session_id TEXT,
    give_up_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    usage TEXT,
    count INTEGER,
    first_due INTEGER
  ) STRICT;
  CREATE INDEX cron_runs_by_job ON cron_runs (job_id, run);
  CREATE INDEX cron_runs_running ON cron_runs (run) WHERE status = 'running';
  CREATE INDEX cron_runs_by_message ON cron_runs (message_ref) WHERE status = 'running';
  CREATE INDEX cron_runs_by_age ON cron_runs (due);

  CREATE TABLE cron_sessions (session_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;
