import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeIssuer } from '../../../test/support/fake-issuer.js';
import { BOT_TOKEN, FakeTelegram } from '../../../test/support/fake-telegram.js';
import { openDatabase } from '../../stores/sqlite/file/database.js';
import { MIGRATIONS } from '../../stores/sqlite/schema/migrations.js';
import { FakeTerminal } from '../../testing/fake-terminal.js';
import { run } from '../cli.js';

const NEWEST = MIGRATIONS.length;

let folder: string;
let path: string;
let environment: Record<string, string>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doctor-'));
  path = join(folder, 'gateway.db');
  environment = {
    OPENCLAW_STORE_URL: `sqlite:${path}`,
    OPENCLAW_MEDIA_FOLDER: join(folder, 'media'),
    OPENCLAW_GATEWAY_PORT: '0',
  };
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs the command. Returns its exit code and its lines, without the words of those that only name places. */
async function examine(...args: string[]): Promise<{ code: number; lines: string[]; progress: string }> {
  const terminal = new FakeTerminal(environment);
  const code = await run(['doctor', ...args], terminal);
  return { code, lines: terminal.stdout.text.trimEnd().split('\n'), progress: terminal.stderr.text };
}

describe('openclaw doctor', () => {
  it('finds a new place fit for a start, and writes nothing', async () => {
    const { code, lines } = await examine();
    expect(code).toBe(0);
    expect(lines.filter((line) => !line.startsWith(' ')).map((line) => line.split(/ +/).slice(0, 2).join(' '))).toEqual(
      [
        'ok node',
        'ok settings',
        'ok store',
        'ok media',
        'ok address',
        expect.stringMatching(/^(ok|note) sandbox$/),
        'ok disk',
        'ok clock',
        'ok cron',
      ],
    );
    expect(lines[2]).toContain('does not exist yet; the first start creates it');
    expect(await readdir(folder)).toEqual([]);
  });

  it('[V-28] says what a bot of Telegram sees in groups, if it serves any', async () => {
    const telegram = await FakeTelegram.start();
    environment['OPENCLAW_CHANNELS_TELEGRAM_BOT_TOKEN'] = BOT_TOKEN;
    environment['OPENCLAW_CHANNELS_TELEGRAM_API_ROOT'] = telegram.url;
    const ofChannels = async () =>
      (await examine()).lines.filter((line) => /^\w+ +channels |Privacy/.test(line)).join(' ');
    try {
      telegram.isPrivate = true;
      expect(await ofChannels()).toMatch(/^ok +channels +telegram speaks as @acme_helper_bot$/);
      telegram.isPrivate = false;
      environment['OPENCLAW_CHANNELS_TELEGRAM_GROUPS'] = '[-1001000000012]';
      expect(await ofChannels()).toMatch(/^ok +channels +telegram speaks as @acme_helper_bot$/);
      const { database, close } = openDatabase(path);
      database.exec("INSERT INTO moved_chats VALUES ('telegram', '-1001000000012', '-1002000000012')");
      close();
      expect(await ofChannels()).toMatch(
        /^note .*telegram: the group -1001000000012 is -1002000000012 now.* ok .*speaks as/,
      );
      telegram.isPrivate = true;
      expect(await ofChannels()).toMatch(/note +channels .*Privacy mode is on/);
      telegram.failNext('getMe', { status: 401, description: 'Unauthorized' });
      expect(await ofChannels()).toMatch(/note +channels +telegram: Telegram refuses the token/);
    } finally {
      await telegram.close();
    }
  });

  it('[I-03] says whether the keys of an identity provider can be fetched, and a gateway starts in any case', async () => {
    const issuer = await FakeIssuer.start();
    environment['OPENCLAW_AUTH_JWT'] = JSON.stringify(issuer.setting);
    const ofIdentity = async () => {
      const { code, lines } = await examine();
      return [code, lines.find((line) => /^\w+ +identity/.test(line)) ?? ''] as const;
    };
    try {
      expect(await ofIdentity()).toEqual([0, expect.stringMatching(/^ok .*http.* has 1 keys$/)]);
      issuer.isUp = false;
      expect(await ofIdentity()).toEqual([0, expect.stringMatching(/^note /)]);
    } finally {
      await issuer.close();
    }
  });

  it('[P-31] asks providers of models, compares the clock with theirs, and says how what is wrong is mended', async () => {
    let offsetMs = 0;
    let status = 200;
    const server = createHttpServer((_request, response) => {
      response.sendDate = false;
      const date = new Date(Date.now() - offsetMs).toUTCString();
      response.writeHead(status, { date, 'content-type': 'application/json' }).end('{"data":[{"id":"m1"}]}');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    environment['OPENCLAW_PROVIDERS'] = JSON.stringify({ local: { api: 'openai-completions', base_url } });
    const find = async () => {
      const terminal = new FakeTerminal(environment);
      expect(await run(['doctor', '--json'], terminal)).toBe(0);
      const findings = JSON.parse(terminal.stdout.text) as { subject: string; mend?: string }[];
      return findings.filter(({ subject }) => ['provider', 'clock', 'disk'].includes(subject));
    };
    try {
      expect(await find()).toEqual([
        { subject: 'provider', state: 'ok', says: `local: ${base_url} has 1 models` },
        {
          subject: 'disk',
          state: 'ok',
          says: expect.stringMatching(/^\d+ MiB free in .*; \d+ MiB free in /) as string,
        },
        { subject: 'clock', state: 'ok', says: expect.stringMatching(/Z; 127\.0\.0\.1:\d+ agrees$/) as string },
      ]);
      offsetMs = 600_000;
      status = 401;
      expect(await find()).toMatchObject([
        { state: 'note', says: 'local: the key is refused (HTTP 401)', mend: expect.stringContaining('models test') },
        { state: 'ok' },
        { state: 'note', says: expect.stringMatching(/is 60\d s ahead of 127/), mend: expect.stringContaining('ntp') },
      ]);
    } finally {
      server.close();
    }
  });

  it('states that a store was made by a newer gateway', async () => {
    const { database, close } = openDatabase(path);
    database.exec('PRAGMA user_version = 999');
    close();
    const { code, lines } = await examine();
    expect(code).toBe(0);
    expect(lines[2]).toMatch(
      /^ok +store .*version 999, made by a newer gateway, which this one \(version \d+\) can serve$/,
    );
  });

  it('states the version of a store, and leaves no file beside it', async () => {
    openDatabase(path, MIGRATIONS.slice(0, 1)).close();
    const before = await readdir(folder);
    const { code, lines } = await examine('--deep');
    expect(code).toBe(0);
    expect(lines[2]).toContain(`has schema version 1; the next start migrates it to ${NEWEST} and keeps a copy`);
    expect(await readdir(folder)).toEqual(before);
  });

  it('works beside a gateway, and names the process that has the store open', async () => {
    const { database, close } = openDatabase(path);
    database.exec('UPDATE gateway SET checked_at = 1');
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    environment['OPENCLAW_GATEWAY_PORT'] = String((server.address() as AddressInfo).port);

    const { code, lines, progress } = await examine('--deep');
    close();
    expect(code).toBe(0);
    expect(lines[2]).toMatch(
      new RegExp(`version ${NEWEST}; every page was checked; in use by the process ${process.pid}$`),
    );
    expect(lines[4]).toMatch(/^ok +address .* is in use, as it should be while a gateway runs$/);
    expect(progress).toMatch(/reading table 1 of \d+: sqlite_schema\n[^]*: messages\n/);

    // Without that gateway the port belongs to another program.
    const alone = await examine();
    server.close();
    expect([alone.code, alone.lines[4]]).toEqual([1, expect.stringMatching(/^fault +address .*in use\. Stop/)]);
  });

  it.each([
    [
      'a gateway that this one cannot follow',
      'PRAGMA user_version = 999; CREATE TABLE contractions (version); INSERT INTO contractions VALUES (999)',
      /^fault +store .*version 999/,
    ],
    ['another program', 'PRAGMA application_id = 1', /^fault +store .*another program/],
  ])('refuses the store of %s', async (_, sql, says) => {
    const { database, close } = openDatabase(path);
    database.exec(sql);
    close();
    const { code, lines } = await examine();
    expect([code, lines[2]]).toEqual([1, expect.stringMatching(says)]);
  });

  it('states what decides when jobs are due, and that a clock was wrong', async () => {
    environment['OPENCLAW_CRON_TIMEZONE'] = 'Europe/Paris';
    const { database, close } = openDatabase(path);
    const addRun = database.prepare(
      `INSERT INTO cron_runs (job_id, tenant, firing_id, kind, due, status, give_up_at)
       VALUES ('j', 'default', ?, 'scheduled', ?, 'done', 0)`,
    );
    addRun.run('past', Date.now());
    close();
    const says = async () => {
      const { lines } = await examine();
      return lines.slice(lines.findIndex((line) => line.includes(' cron '))).join('\n');
    };
    expect(await says()).toMatch(/^ok +cron +0 jobs; .* made in Europe\/Paris; zone data \d{4}[a-z]$/);
    const again = openDatabase(path);
    again.database.exec("UPDATE cron_runs SET due = unixepoch('2101-06-01') * 1000");
    again.close();
    const { code } = await examine();
    expect([code, await says()]).toEqual([
      0,
      expect.stringMatching(
        /^note +cron [^]*due at 2101-06-01T00:00:00.000Z, .* the clock is or was wrong\n.*correct the clock/,
      ),
    ]);
  });

  it('finds damage inside the store with --deep', async () => {
    const { database, close } = openDatabase(path);
    const insert = database.prepare('INSERT INTO participants VALUES (?, ?)');
    database.exec('BEGIN');
    for (let row = 0; row < 20_000; row++) insert.run(row, `sender ${row}`);
    database.exec('COMMIT');
    close();
    const bytes = await readFile(path);
    // The rows are behind the roots of all tables.
    const start = Math.floor((bytes.length * 3) / 4);
    bytes.fill(0xff, start, start + 20_000);
    await writeFile(path, bytes);
    expect((await examine()).code).toBe(0);
    const { code, lines } = await examine('--deep');
    expect([code, lines[2]]).toEqual([1, expect.stringMatching(/^fault +store .*is damaged .*restore a backup/)]);
  });

  it('checks the settings together with those that were changed at run time', async () => {
    const { database, close } = openDatabase(path);
    const insert = database.prepare('INSERT INTO settings (key, value) VALUES (?, ?)');
    insert.run('agents.ops.prompt_files', JSON.stringify([join(folder, 'missing.md')]));
    close();
    const { code, lines } = await examine();
    expect(code).toBe(1);
    expect(lines.slice(3, 5).join('\n')).toMatch(
      /^fault +settings +Prompt files cannot be read.*\n +- agents\.ops\.prompt_files: .*missing\.md does not exist \(source: run time, .*openclaw start --unset agents\.ops\.prompt_files/,
    );
  });

  it('lists every fault of the settings', async () => {
    environment['OPENCLAW_GATEWAY_PORT'] = 'seven';
    environment['OPENCLAW_STORE_RETENTION_HOURS'] = '-1';
    const { code, lines } = await examine();
    expect(code).toBe(1);
    expect(lines.join('\n')).toMatch(/fault +settings [^]*gateway\.port[^]*store\.retention_hours/);
  });

  it('notes a folder of files that cannot be made, without which a gateway starts', async () => {
    await writeFile(join(folder, 'file'), '');
    environment['OPENCLAW_MEDIA_FOLDER'] = join(folder, 'file', 'media');
    const { code, lines } = await examine();
    expect([code, lines[3]]).toEqual([0, expect.stringMatching(/^note +media .*file is not a folder/)]);
  });

  it.each([
    ['docker', /^note +sandbox .*the Docker client cannot be used \(.*DOCKER_HOST/],
    ['none', /^ok +sandbox .*tools\.sandbox\.engine is none/],
  ])('says whether commands of tools can run with the engine %s', async (engine, says) => {
    environment['OPENCLAW_TOOLS_SANDBOX_ENGINE'] = engine;
    const { DOCKER_HOST } = process.env;
    process.env['DOCKER_HOST'] = 'tcp://[';
    try {
      const { code, lines } = await examine();
      expect([code, lines[5]]).toEqual([0, expect.stringMatching(says)]);
    } finally {
      if (DOCKER_HOST === undefined) delete process.env['DOCKER_HOST'];
      else process.env['DOCKER_HOST'] = DOCKER_HOST;
    }
  });

  it('prints JSON for programs', async () => {
    const terminal = new FakeTerminal(environment);
    expect(await run(['doctor', '--json'], terminal)).toBe(0);
    expect(JSON.parse(terminal.stdout.text)).toContainEqual({
      subject: 'settings',
      state: 'ok',
      says: 'valid',
    });
  });

  it('[H-04] asks Tailscale where the gateway is exposed', async () => {
    environment['OPENCLAW_GATEWAY_EXPOSE_VIA_TAILSCALE'] = 'true';
    environment['OPENCLAW_GATEWAY_TAILSCALE_BIN'] = join(folder, 'nothing');
    const { code, lines } = await examine();
    expect(code).toBe(0);
    expect(lines.find((line) => line.includes(' tailscale '))).toMatch(
      /^note +tailscale +gateway\.tailscale_bin: .*nothing is not a program$/,
    );
  });
});
