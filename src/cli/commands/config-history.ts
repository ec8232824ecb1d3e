import { cut, formatTime, type AdminSession } from '../admin-session.js';
import { UsageError } from '../faults.js';

/** A change of settings while a gateway ran. */
interface Change {
  readonly version: number;
  readonly at: number;
  readonly actor: string;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

/** Prints the changes of settings, the newest first. */
export async function listChanges(session: AdminSession, limit: number | undefined): Promise<number> {
  const page = await session.list<Change>('config/history', {}, limit);
  return session.printList(page, ['VERSION', 'CHANGED', 'BY', 'CHANGES'], ({ version, at, actor, before, after }) => [
    String(version),
    formatTime(at),
    actor,
    Object.entries(after)
      .map(([key, value]) => `${key}: ${describe(before[key])} -> ${describe(value)}`)
      .join('; '),
  ]);
}

/** Brings back the values of a version. @throws UsageError for what is not a version */
export async function revert(session: AdminSession, version: string | undefined): Promise<number> {
  if (version === undefined || !/^\d{1,15}$/.test(version))
    throw new UsageError('revert needs a VERSION of openclaw config history', 'config');
  const init = { method: 'POST', body: JSON.stringify({ version: Number(version) }) };
  const made = await session.ask<{ version: number; needs_restart: readonly string[] }>('config/revert', init);
  const later = made.needs_restart.length > 0 ? `; in force at the next start: ${made.needs_restart.join(', ')}` : '';
  return session.print(made, [[`as of version ${version}, now version ${made.version}${later}`]]);
}

function describe(value: unknown): string {
  return value === undefined || value === null ? '-' : cut(typeof value === 'string' ? value : JSON.stringify(value));
}
