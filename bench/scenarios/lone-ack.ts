import { DatabaseSync } from 'node:sqlite';
import { LoadProcess } from '../load-process.ts';
import { messageIn } from '../load/messages.ts';
import { startGateway, startPeer, TemporaryFolder, TOKEN } from '../servers.ts';
import { median } from '../statistics.ts';
import type { Scenario } from './scenario.ts';

/** Acknowledgements and commits alternate in portions of this size, so that both see the same disk conditions. */
const PORTION = 25;

/** G4: the latency of a lone acknowledgement, in units of commits on the same disk. */
export const loneAck: Scenario = {
  name: 'a lone acknowledgement',
  figures: ['G4'],
  async measure(size) {
    using folder = new TemporaryFolder();
    await using gateway = await startGateway({ folder, env: { OPENCLAW_AGENT_CONCURRENCY: '1' } });
    await using plain = await startPeer('plain-ws');
    using gatewayLoad = new LoadProcess();
    using plainLoad = new LoadProcess();
    await gatewayLoad.call('connect', { port: gateway.port, dialect: 'gateway', token: TOKEN, count: 1 });
    await plainLoad.call('connect', { port: plain.port, dialect: 'plain', token: TOKEN, count: 1 });
    await gatewayLoad.call('say', { sender: 'person-waiting', content: '/wait 60000' });
    const commit = openBaseline(`${folder.path}/baseline.db`);
    const acks: number[] = [];
    const hops: number[] = [];
    const commits: number[] = [];
    const portions = size.pick(24, 4);
    for (let i = 0; i < portions; i++) {
      const portion = {
        acks: await gatewayLoad.call('lone', { count: PORTION, prefix: `lone-${i}` }),
        commits: timeCommits(commit),
      };
      const hop = await plainLoad.call('lone', { count: PORTION, prefix: `lone-${i}` });
      // The first portions only warm up the processes.
      if (i < portions / 4) continue;
      acks.push(...portion.acks);
      commits.push(...portion.commits);
      hops.push(...hop);
    }
    return {
      G4: median(acks) / median(commits),
      'lone durable ack: ms, p50': median(acks),
      'SQLite FULL commit: ms, p50': median(commits),
      'lone plain ws ack / SQLite FULL commit, p50': median(hops) / median(commits),
    };
  },
};

function openBaseline(path: string): () => void {
  const database = new DatabaseSync(path);
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE messages (id INTEGER PRIMARY KEY, body TEXT NOT NULL)',
  );
  const insert = database.prepare('INSERT INTO messages (body) VALUES (?)');
  const body = messageIn('baseline', 'person-alone');
  return () => void insert.run(body);
}

function timeCommits(commit: () => void): number[] {
  return Array.from({ length: PORTION }, () => {
    const before = performance.now();
    commit();
    return performance.now() - before;
  });
}
