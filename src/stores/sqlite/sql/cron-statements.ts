import type { DatabaseSync } from 'node:sqlite';
import { ALL_TENANTS, type CronJob, type CronRun } from '../../../core/store/index.js';
import { prepare } from './statement.js';

/** A row with null in place of what it does not have. */
export type Row<T> = {
  readonly [K in keyof T]-?: undefined extends T[K]
    ? Exclude<T[K], undefined> | null
    : T[K] extends boolean
      ? 0 | 1
      : T[K];
};

const JOB = `job_id AS jobId, tenant, owner, event, is_enabled AS isEnabled, definition, version, revision, base,
  last_due AS lastDue, next_due AS nextDue, wake_at AS wakeAt, firings, failures, told_at AS toldAt, stopped,
  created_at AS createdAt`;

const RUN = `run, job_id AS jobId, tenant, firing_id AS firingId, kind, due, status, reason, attempt, message,
  message_ref AS messageRef, session_id AS sessionId, give_up_at AS giveUpAt, started_at AS startedAt, ended_at AS endedAt,
  usage, count, first_due AS firstDue`;

/** Runs that a job keeps, besides those that have not ended. */
const KEPT_RUNS = 200;

/** The statements of jobs. */
export function prepareJobs(database: DatabaseSync) {
  const job = (rest: string) => prepare<Row<CronJob>>(database, `SELECT ${JOB} FROM cron_jobs ${rest}`);
  return {
    countJobs: prepare<{ count: number }>(database, 'SELECT count(*) AS count FROM cron_jobs'),
    countOwned: prepare<{ count: number }>(
      database,
      'SELECT count(*) AS count FROM cron_jobs WHERE tenant = ? AND owner = ?',
    ),
    writeJob: prepare(
      database,
      `INSERT OR REPLACE INTO cron_jobs (job_id, tenant, owner, event, is_enabled, definition, version, revision, base,
         last_due, next_due, wake_at, firings, failures, told_at, stopped, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    deleteJob: prepare(database, 'DELETE FROM cron_jobs WHERE job_id = ?'),
    stopJob: prepare(
      database,
      `UPDATE cron_jobs SET is_enabled = 0, stopped = ?, next_due = NULL, wake_at = NULL, version = version + 1
       WHERE job_id = ? AND is_enabled = 1`,
    ),
    findJob: job('WHERE job_id = ?'),
    listJobs: job(`WHERE job_id > ?1 AND (?2 = '${ALL_TENANTS}' OR tenant = ?2) AND (?3 IS NULL OR owner = ?3)
      ORDER BY job_id LIMIT ?4`),
    listDue: job('WHERE wake_at <= ?1 AND (wake_at, job_id) > (?2, ?3) ORDER BY wake_at, job_id LIMIT ?4'),
    listAhead: job('WHERE base > ? LIMIT ?'),
    listOnEvent: job(
      'WHERE event IS NOT NULL AND (?1 IS NULL OR event = ?1) AND tenant = ?2 AND is_enabled = 1 ORDER BY job_id',
    ),
    moveJob: prepare(
      database,
      `UPDATE cron_jobs SET base = ?, last_due = coalesce(?, last_due), next_due = ?, wake_at = ?
       WHERE job_id = ? AND revision = ? AND is_enabled = 1`,
    ),
    countFiring: prepare(database, 'UPDATE cron_jobs SET firings = firings + 1 WHERE job_id = ?'),
    setFailures: prepare(database, 'UPDATE cron_jobs SET failures = ?, told_at = ? WHERE job_id = ?'),
    earliest: prepare<{ wakeAt: number | null; isBusy: 0 | 1 }>(
      database,
      `SELECT (SELECT min(wake_at) FROM cron_jobs WHERE wake_at IS NOT NULL) AS wakeAt,
         EXISTS (SELECT 1 FROM cron_runs WHERE status = 'running') AS isBusy`,
    ),
  };
}

/** The statements of runs. */
export function prepareRuns(database: DatabaseSync) {
  const run = (rest: string) => prepare<Row<CronRun>>(database, `SELECT ${RUN} FROM cron_runs ${rest}`);
  return {
    findRun: run('WHERE firing_id = ?'),
    listRunning: run("WHERE job_id = ? AND status = 'running' ORDER BY run"),
    countRunning: prepare<{ count: number }>(
      database,
      "SELECT count(*) AS count FROM cron_runs WHERE job_id = ? AND status = 'running'",
    ),
    listOpen: run("WHERE status = 'running' AND message_ref IS NULL AND run > ? ORDER BY run LIMIT ?"),
    listAccepted: run("WHERE status = 'running' AND message_ref IS NOT NULL AND run > ? ORDER BY run LIMIT ?"),
    listRuns: run('WHERE job_id = ? AND run < ? ORDER BY run DESC LIMIT ?'),
    lastOfEvents: run("WHERE job_id = ? AND kind = 'event' AND status <> 'skipped' ORDER BY run DESC LIMIT 1"),
    newest: run('WHERE job_id = ? ORDER BY run DESC LIMIT 1'),
    findReply: prepare<{
      reason: 'stop' | 'cancelled' | 'error';
      error: string | null;
      usage: string | null;
      endedAt: number;
    }>(
      database,
      `SELECT reply ->> '$.reason' AS reason, reply ->> '$.error.message' AS error, reply -> '$.usage' AS usage,
         reply ->> '$.endedAt' AS endedAt
       FROM replies WHERE ord = ?`,
    ),
    findQueued: prepare<{ state: string }>(database, 'SELECT state FROM queue WHERE ord = ?'),
  };
}

/** The statements that change runs. */
export function prepareRunChanges(database: DatabaseSync) {
  return {
    addRun: prepare(
      database,
      `INSERT INTO cron_runs (job_id, tenant, firing_id, kind, due, status, reason, message, session_id, give_up_at,
         ended_at, count, first_due)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    addSkipped: prepare(database, 'UPDATE cron_runs SET count = coalesce(count, 1) + 1, due = ? WHERE run = ?'),
    acceptRun: prepare(
      database,
      "UPDATE cron_runs SET message_ref = ?, started_at = coalesce(started_at, ?) WHERE run = ? AND status = 'running'",
    ),
    retryRun: prepare(
      database,
      `UPDATE cron_runs SET attempt = ?1, message_ref = NULL, reason = NULL, give_up_at = ?2
       WHERE run = ?3 AND attempt < ?1 AND status = 'running'`,
    ),
    endRun: prepare(
      database,
      // After a crash the message may have ended before its acceptance was noted.
      `UPDATE cron_runs SET status = ?1, reason = ?2, usage = ?3, ended_at = ?4, message = NULL,
         started_at = min(started_at, ?4)
       WHERE run = ?5 AND status = 'running'`,
    ),
    endOpen: prepare(
      database,
      `UPDATE cron_runs SET status = 'skipped', reason = ?, ended_at = ?, message = NULL
       WHERE job_id = ? AND status = 'running' AND message_ref IS NULL`,
    ),
    noteReason: prepare(
      database,
      "UPDATE cron_runs SET reason = coalesce(reason, ?) WHERE message_ref = ? AND status = 'running'",
    ),
    trimRuns: prepare<{ sessionId: string | null }>(
      database,
      `DELETE FROM cron_runs WHERE job_id = ?1 AND status <> 'running' AND run <=
         (SELECT run FROM cron_runs WHERE job_id = ?1 ORDER BY run DESC LIMIT 1 OFFSET ${KEPT_RUNS})
       RETURNING session_id AS sessionId`,
    ),
    deleteOld: prepare<{ sessionId: string | null }>(
      database,
      `DELETE FROM cron_runs WHERE run IN (SELECT run FROM cron_runs WHERE due < ? AND status <> 'running' LIMIT ?)
       RETURNING session_id AS sessionId`,
    ),
    addSession: prepare(database, 'INSERT OR IGNORE INTO cron_sessions (session_id) VALUES (?)'),
    listSessions: prepare<{ sessionId: string }>(database, 'SELECT session_id AS sessionId FROM cron_sessions LIMIT ?'),
    deleteSession: prepare(database, 'DELETE FROM cron_sessions WHERE session_id = ?'),
  };
}
