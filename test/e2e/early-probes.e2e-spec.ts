import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDatabase } from '../../src/stores/sqlite/file/database.js';
import { MIGRATIONS } from '../../src/stores/sqlite/schema/migrations.js';
import { findFreePort } from '../../src/testing/free-port.js';
import { GatewayProcess } from '../support/gateway-process.js';

/** The version before rows of the audit trail were hashed again. */
const OLD_VERSION = 22;
/** Makes the migration take a second or more. */
const AUDIT_ROWS = 60_000;

let folder: string;
let gateway: GatewayProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'early-probes-'));
});
afterEach(async () => {
  gateway?.kill();
  await gateway?.exited;
  gateway = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** Makes the store of an earlier version, with a long trail. */
function makeOldStore(): void {
  mkdirSync(join(folder, 'data'));
  const old = openDatabase(
    join(folder, 'data/gateway.db'),
    MIGRATIONS.filter(({ version }) => version <= OLD_VERSION),
  );
  old.database.exec(`
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${AUDIT_ROWS})
    INSERT INTO audit (sequence, at, tenant, actor, action, target, before, after, previous_hash, hash)
    SELECT n, 1795717547000 + n, 'default', 'ann', 'settings.change', 'settings', '{}', '{"a":1}', '', n FROM numbers;
    UPDATE gateway SET audit_sequence = ${AUDIT_ROWS}, audit_hash = '${AUDIT_ROWS}';
  `);
  old.close();
}

it('[L-12] an orchestrator waits for the migration of an old store: the probes say that it runs', async () => {
  makeOldStore();
  const port = await findFreePort();
  gateway = new GatewayProcess({ folder, env: { OPENCLAW_GATEWAY_PORT: `${port}` } });
  const probe = async (name: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/health/${name}`).catch(() => undefined);
    return response && { status: response.status, text: await response.text() };
  };
  const seen: { startup: string; live: number | undefined; ready: number | undefined }[] = [];
  let [hasAnswered, gaps] = [false, 0];
  const isReady = gateway.port.then(() => true);
  while (!(await Promise.race([isReady, new Promise<false>((resolve) => setImmediate(() => resolve(false)))]))) {
    const startup = await probe('startup');
    if (startup) hasAnswered = true;
    else if (hasAnswered) gaps++;
    if (!startup?.text.includes('migrating')) continue;
    seen.push({ startup: startup.text, live: (await probe('live'))?.status, ready: (await probe('ready'))?.status });
  }
  const newest = MIGRATIONS.at(-1)?.version;
  const says = `migrating the store from schema version ${OLD_VERSION} to ${newest}`;
  // The last ones may have been asked when the migration had ended.
  expect(seen).toContainEqual({ startup: expect.stringContaining(says) as string, live: 200, ready: 503 });
  expect(gaps).toBe(0);
  for (const name of ['startup', 'live', 'ready']) expect((await probe(name))?.status).toBe(200);
});
