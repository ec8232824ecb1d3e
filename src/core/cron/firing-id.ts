import { createHash, hash, randomUUID } from 'node:crypto';

/** Maximum length of the ID of a message. */
const MAX_ID_LENGTH = 128;

/**
 * Returns the ID of the firing of a due time. It is the same in every process that looks, before and after a crash.
 * @param due `DueTimes.nameOf` of the due time, which has no jitter
 */
export function scheduledId(jobId: string, revision: number, due: string): string {
  return shorten(jobId, `cron:${jobId}:${revision}:${due}`);
}

/** Returns the ID of the firing of an event. An event that a node sends again has the same one. */
export function eventFiringId(jobId: string, nodeId: string, eventId: string): string {
  return shorten(jobId, `cron:${jobId}:event:${nodeId}:${eventId}`);
}

/** Returns a new ID for a firing that a person asked for. */
export function manualId(jobId: string): string {
  return `cron:${jobId}:run:${randomUUID()}`;
}

/** Returns the ID of the message of one try of a firing. @param attempt from 1 */
export function messageIdOf(firingId: string, jobId: string, attempt: number): string {
  return attempt === 1 ? firingId : shorten(jobId, `${firingId}:r${attempt - 1}`);
}

/** Returns the ID of a message that a job sends beside a firing, for example that it was missed. */
export function noteIdOf(firingId: string, jobId: string, kind: string): string {
  return shorten(jobId, `${firingId}:${kind}`);
}

/** Returns the delay of a due time, from 0 to `jitterMs`. It is the same wherever and whenever it is computed. */
export function jitterOf(jobId: string, due: string, jitterMs: number): number {
  if (jitterMs === 0) return 0;
  const digest = createHash('sha256').update(`${jobId} ${due}`).digest();
  return digest.readUIntBE(0, 6) % (jitterMs + 1);
}

function shorten(jobId: string, id: string): string {
  return id.length <= MAX_ID_LENGTH ? id : `cron:${jobId}:sha256:${hash('sha256', id, 'hex')}`;
}
