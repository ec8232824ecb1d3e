import { describe, expect, it } from 'vitest';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { loadSettings } from '../settings.js';
import { SilentLogs } from '../core/telemetry/logs.js';
import { GatewayError } from '../protocol/index.js';
import { NestLogs } from './nest-logs.js';
import { MemorySettings } from '../testing/memory-settings.js';
import { PinoLogs } from './pino-logs.js';

const TOKEN = 'abcdefghijklmnopqrstuvwxyz';

class Lines {
  readonly all: string[] = [];

  write(line: string): void {
    this.all.push(line);
  }

  get records(): Record<string, unknown>[] {
    return this.all.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  get last(): Record<string, unknown> {
    return this.records.at(-1) ?? {};
  }
}

/** Logs that write to memory, with levels as the environment would set them. */
function open(levels: Record<string, string> = { level: 'trace' }, pretty = false) {
  const lines = new Lines();
  const environment = Object.entries(levels).map(
    ([name, level]) => [`OPENCLAW_LOG_${name.toUpperCase()}`, level] as const,
  );
  const config = new ConfigStoreService(
    loadSettings(Object.fromEntries(environment), {}, '/nowhere'),
    new SilentLogs(),
  );
  const logs = new PinoLogs({ output: lines, pretty });
  logs.follow(config);
  return { lines, logs, config };
}

describe('PinoLogs', () => {
  it('logs from info on until the settings are known', () => {
    const lines = new Lines();
    const log = new PinoLogs({ output: lines, pretty: false }).for('gateway');
    log.debug({}, 'hidden');
    log.info({}, 'seen');
    expect(lines.records.map((record) => record['msg'])).toEqual(['seen']);
  });

  it('[L-15] writes one JSON object a line, with level, time, subsystem, the fields and the message', () => {
    const { lines, logs } = open();
    logs.for('queue').info({ depth: 3 }, 'a message waits');
    expect(lines.all).toHaveLength(1);
    expect(lines.all[0]).toMatch(/^\{.*\}\n$/);
    expect(lines.last).toEqual({
      level: 'info',
      time: expect.any(String) as string,
      subsystem: 'queue',
      depth: 3,
      msg: 'a message waits',
    });
    expect(Date.parse(String(lines.last['time']))).toBeGreaterThan(Date.parse('2026-01-01'));
  });

  it('[L-09] has a level for each subsystem, and the common one for the others', () => {
    const { lines, logs } = open({ level: 'warn', router: 'trace', store: 'error' });
    for (const name of ['gateway', 'router', 'store'] as const) {
      for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const) logs.for(name)[level]({}, name);
    }
    const seen = lines.records.map(({ subsystem, level }) => `${String(subsystem)} ${String(level)}`);
    expect(seen).toEqual([
      'gateway warn',
      'gateway error',
      'router trace',
      'router debug',
      'router info',
      'router warn',
      'router error',
      'store error',
    ]);
    expect(logs.for('router').isEnabled('trace')).toBe(true);
    expect(logs.for('store').isEnabled('warn')).toBe(false);
  });

  it('[L-09] follows changes of the settings, even for logs that were created before', async () => {
    const { logs, config } = open({ level: 'warn' });
    const router = logs.for('router');
    await config.open(new MemorySettings());

    await config.set('log.level', 'debug', 'test');
    expect(router.isEnabled('debug')).toBe(true);
    await config.set('log.router', 'error', 'test');
    expect(router.isEnabled('warn')).toBe(false);
    expect(logs.for('queue').isEnabled('debug')).toBe(true);
    await config.set('log.level', 'trace', 'test');
    expect(router.isEnabled('warn')).toBe(false);
    await config.change(config.version, { 'log.router': null }, 'test');
    expect(router.isEnabled('trace')).toBe(true);
  });

  it('builds no entry below the level', () => {
    const { lines, logs } = open({ level: 'info' });
    const reads: string[] = [];
    const fields = {
      get expensive() {
        return reads.push('read');
      },
    };
    logs.for('agent').debug(fields, 'quiet');
    expect(lines.all).toEqual([]);
    expect(reads).toEqual([]);
    logs.for('agent').info(fields, 'loud');
    expect(reads).toEqual(['read']);
  });

  it('writes errors with type, stack, code, details and cause', () => {
    const { lines, logs } = open();
    const error = new GatewayError('NOT_FOUND', { what: 'session' }, { cause: new TypeError('the row is gone') });
    logs.for('gateway').error({ error }, 'failed');
    expect(lines.last['error']).toMatchObject({
      type: 'GatewayError',
      code: 'NOT_FOUND',
      message: 'Not found: session',
      details: { what: 'session' },
      stack: expect.stringContaining('pino-logs.spec') as string,
      cause: { type: 'TypeError', message: 'the row is gone', stack: expect.stringContaining('TypeError') as string },
    });
  });

  it('writes a thrown value that is not an error', () => {
    const { lines, logs } = open();
    logs.for('gateway').error({ error: 'a text' }, 'failed');
    expect(lines.last['error']).toBe('a text');
  });

  it('truncates cycles, bytes and long lists', () => {
    const { lines, logs } = open();
    const circle: Record<string, unknown> = {
      bytes: new Uint8Array(70_000),
      list: Array.from({ length: 1_000 }, (_, i) => i),
      big: 2n ** 70n,
    };
    circle['self'] = circle;
    logs.for('gateway').info(circle, 'large');
    expect(lines.last).toMatchObject({ bytes: '[70000 bytes]', big: '1180591620717411303424' });
    expect((lines.last['list'] as unknown[]).at(-1)).toBe('[800 more]');
    expect(lines.all[0]?.length).toBeLessThan(20_000);
  });

  it('does not let a field replace the fields of the log itself', () => {
    const { lines, logs } = open();
    logs.for('auth').warn({ level: 'info', subsystem: 'gateway', msg: 'all is well', time: 0 }, 'refused');
    expect(lines.last).toMatchObject({ level: 'warn', subsystem: 'auth', msg: 'refused', msg_: 'all is well' });
    expect(lines.all[0]?.match(/"level":/g)).toHaveLength(1);
  });
});

describe('secrets in the log', () => {
  it.each([
    'token',
    'token_sha256',
    'authorization',
    'Authorization',
    'cookie',
    'set-cookie',
    'api_key',
    'apiKey',
    'X-Api-Key',
    'password',
    'client_secret',
    'access_token',
  ])('[X-13] hides the field %s at any depth, whatever its value', (name) => {
    const { lines, logs } = open();
    logs.for('auth').info({ [name]: TOKEN, deep: [{ er: { [name]: [TOKEN] } }] }, 'seen');
    expect(lines.all[0]).not.toContain(TOKEN);
    expect(lines.last['deep']).toEqual([{ er: { [name]: '***' } }]);
  });

  it('keeps numbers that only sound like secrets', () => {
    const { lines, logs } = open();
    logs.for('agent').info({ usage: { input_tokens: 7, output_tokens: 9 }, tokens: 2 }, 'done');
    expect(lines.last).toMatchObject({ usage: { input_tokens: 7, output_tokens: 9 }, tokens: 2 });
  });

  it.each([
    `Authorization: Bearer ${TOKEN}`,
    `authorization: bearer ${TOKEN}`,
    `openclaw.v1, openclaw.bearer.${TOKEN}`,
    `GET /?client_id=a&token=${TOKEN}&x=1`,
    `GET /?access_token=${TOKEN}`,
    `postgres://gateway:${TOKEN}@db:5432/gateway`,
    `Incorrect API key provided: sk-${TOKEN}.`,
  ])('[X-13] hides the credential in "%s", in a message, a field and a stack', (text) => {
    const { lines, logs } = open();
    logs.for('gateway').error({ text, list: [text], error: new Error(text) }, text);
    expect(lines.all[0]).not.toContain(TOKEN);
    expect(lines.last['msg']).toContain('***');
  });

  it('writes a text that is slow to search, which a quadratic search would not finish within the time limit', () => {
    const { lines, logs } = open();
    const text = `://@?token= ${'a.'.repeat(50_000)} ${'bearer '.repeat(10_000)} ${'a://b:'.repeat(10_000)}`;
    logs.for('gateway').info({ text }, 'long');
    expect(lines.last['msg']).toBe('long');
  });
});

describe('log injection', () => {
  const hostile = 'hello\n{"level":"error","msg":"forged"}\r\u001b[2J\u009b31m\u2028\u202edesrever\u0000';

  it('[X-14] is not possible in JSON: one line, one object, nothing raw', () => {
    const { lines, logs } = open();
    logs.for('gateway').warn({ sender: hostile, [`key\n${hostile}`]: 1 }, hostile);
    expect(lines.all).toHaveLength(1);
    expect(lines.all[0]?.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/); // oxlint-disable-line no-control-regex
    expect(lines.last).toMatchObject({ sender: hostile, msg: hostile });
  });

  it('[X-14] is not possible on a terminal: control characters are shown, not obeyed', () => {
    const { lines, logs } = open({ level: 'info' }, true);
    const error = new Error(hostile);
    logs.for('gateway').warn({ sender: hostile, [`key\n${hostile}`]: 1, error }, hostile);
    const shown = lines.all.join('').replaceAll(/\u001b\[\d+m/g, ''); // oxlint-disable-line no-control-regex -- the prettifier's own colours
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/); // oxlint-disable-line no-control-regex
    expect(shown.split('\n')[0]).toContain('gateway hello\\u000a{"level"');
    // A line without indentation begins a record.
    expect(shown.split('\n').filter((line) => /^\S/.test(line))).toHaveLength(1);
  });
});

describe('pretty output', () => {
  it('[L-15] shows time, level, subsystem, message, fields and the stack', () => {
    const { lines, logs } = open({ level: 'info' }, true);
    logs.for('store').error({ rows: 3, error: new Error('disk full') }, 'cannot commit');
    const shown = lines.all.join('').replaceAll(/\u001b\[\d+m/g, ''); // oxlint-disable-line no-control-regex -- colours
    expect(shown).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] ERROR: store cannot commit\n/);
    expect(shown).toContain('rows: 3');
    expect(shown).toMatch(/disk full\n\s+at .*pino-logs\.spec/);
  });
});

describe('NestLogs', () => {
  it('logs routine start-up lines at debug and all others at info, under subsystem gateway', () => {
    const { lines, logs } = open();
    const nest = new NestLogs(logs);
    nest.log('Mapped {/health, GET} route', 'RouterExplorer');
    nest.log('hello', 'AcmeService');
    nest.verbose('details', 'AcmeService');
    nest.fatal('the end');
    expect(lines.records.map(({ level, context, subsystem, msg }) => [level, context, subsystem, msg])).toEqual([
      ['debug', 'RouterExplorer', 'gateway', 'Mapped {/health, GET} route'],
      ['info', 'AcmeService', 'gateway', 'hello'],
      ['trace', 'AcmeService', 'gateway', 'details'],
      ['error', undefined, 'gateway', 'the end'],
    ]);
  });

  it('keeps errors, stacks and objects', () => {
    const { lines, logs } = open();
    const nest = new NestLogs(logs);
    const error = new Error('broken');
    nest.error(error, 'ExceptionsHandler');
    expect(lines.last).toMatchObject({ context: 'ExceptionsHandler', msg: 'broken', error: { message: 'broken' } });
    nest.error('broken', error.stack, 'ExceptionsHandler');
    expect(lines.last).toMatchObject({ context: 'ExceptionsHandler', msg: 'broken', stack: error.stack });
    nest.warn({ a: 1 }, 'Acme');
    expect(lines.last).toMatchObject({ level: 'warn', detail: { a: 1 }, context: 'Acme' });
  });

  it('builds nothing when the level is off', () => {
    const { lines, logs } = open({ level: 'error' });
    new NestLogs(logs).log({
      toString() {
        throw new Error('was read');
      },
    });
    expect(lines.all).toEqual([]);
  });
});
