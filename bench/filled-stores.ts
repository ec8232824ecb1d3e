import { DatabaseSync } from 'node:sqlite';
import { LoadProcess } from './load-process.ts';
import { currentBuild, startGateway, TemporaryFolder, TOKEN } from './servers.ts';
import type { FloodOptions } from './load/flood.ts';

/** Number of connections of a load on a filled store. It divides the numbers of sessions. */
export const CONNECTIONS = 25;
export const PER_CONNECTION = 10;

/** The content of a filled database. */
export interface Filling {
  /** The messages that are sent through the gateway. */
  readonly sent: Pick<FloodOptions, 'count' | 'sessions' | 'kind' | 'senders' | 'isShared' | 'until'>;
  /** Number of messages to which those that were sent are multiplied, with their replies. */
  readonly messages?: number;
  /** Also multiplies the frames of the logs, and makes them two days old: they are past their retention. */
  readonly hasOldFrames?: boolean;
}

/** The folders of filled databases, by build and filling. They are removed when the process exits. */
const filled = new Map<string, Promise<string>>();

/** Returns the path of a filled database, to be copied. It is filled once in a run. */
export function fillStore(filling: Filling): Promise<string> {
  const key = JSON.stringify([currentBuild(), filling]);
  let path = filled.get(key);
  if (!path) filled.set(key, (path = fill(filling)));
  return path;
}

/** Fills a database: through the gateway, then by multiplying its rows, which is a hundred times as fast. */
async function fill({ sent, messages = sent.count, hasOldFrames = false }: Filling): Promise<string> {
  const folder = new TemporaryFolder();
  await using gateway = await startGateway({ folder });
  await send(gateway.port, sent);
  await gateway.stop('SIGTERM');
  const path = `${folder.path}/gateway.db`;
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144');
  const tables = ['messages', 'replies', ...(hasOldFrames ? ['frames'] : [])];
  multiply(database, tables, Math.round(messages / sent.count));
  if (hasOldFrames) database.exec(MAKE_FRAMES_OLD);
  database.close();
  return path;
}

async function send(port: number, sent: Filling['sent']): Promise<void> {
  using load = new LoadProcess();
  await load.call('connect', { port, dialect: 'gateway', token: TOKEN, count: CONNECTIONS });
  await load.call('flood', { perConnection: PER_CONNECTION, ...sent });
}

const TWO_DAYS_MS = 172_800_000;
const MAKE_FRAMES_OLD = `
  UPDATE frames SET timestamp = timestamp - ${TWO_DAYS_MS};
  UPDATE sessions SET oldest_frame_at = oldest_frame_at - ${TWO_DAYS_MS};
`;

/** Adds copies of the rows of some tables until there are `times` of each; they belong to copies of the messages. */
function multiply(database: DatabaseSync, tables: readonly string[], times: number): void {
  database.exec(`CREATE TEMP TABLE heads (session INTEGER PRIMARY KEY, seq INTEGER);
    INSERT INTO heads SELECT session, max(seq) FROM frames GROUP BY session`);
  const messages = Number(database.prepare('SELECT max(ord) AS ord FROM messages').get()?.['ord']);
  const copied = (n: number): Readonly<Record<string, string>> => ({
    ord: `ord + ${n * messages}`,
    // Like an id of the load, and in the order of the index, so that the copies are added at few places.
    message_id: `printf('%08d-copy', (ord + ${n * messages}) * 100000000 / ${times * messages + 1})`,
    frame: `frame + ${n} * (SELECT sum(seq) FROM heads)`,
    seq: `seq + ${n} * (SELECT seq FROM heads WHERE heads.session = frames.session)`,
  });
  for (const table of tables) {
    const columns = database.prepare('SELECT name FROM pragma_table_info(?)').all(table);
    const names = columns.map(({ name }) => String(name));
    for (let n = 1; n < times; n++) {
      database.exec(`INSERT INTO ${table} (${names.join(', ')})
        SELECT ${names.map((name) => copied(n)[name] ?? name).join(', ')} FROM ${table} WHERE ord <= ${messages}`);
    }
  }
}
