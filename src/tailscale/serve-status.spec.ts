import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TailscaleEntry } from '../core/store/index.js';
import { explainFailure, isConflict, serveCommand } from './explain-failure.js';
import { readMachineState } from './machine-state.js';
import { hasEntry, judge, parseServeStatus, type ServeStatus } from './serve-status.js';

interface Case {
  readonly trap: string;
  readonly when?: string;
  readonly serve_status?: ServeStatus;
  readonly serve_status_text?: string;
  readonly serve?: { readonly stdout?: string; readonly stderr?: string; readonly exit: number };
  readonly status?: object;
}

const { cases } = JSON.parse(
  readFileSync(new URL('../../test/inputs/tailscale/cases.json', import.meta.url), 'utf8'),
) as { cases: readonly Case[] };

/** Returns the case with this text in it. */
function find(text: string): Case {
  const found = cases.filter((one) => JSON.stringify(one).includes(text));
  if (found.length !== 1) throw new Error(`${found.length} cases have ${text}`);
  return found[0]!;
}

const SERVE: TailscaleEntry = {
  host: 'gw.tail1234.ts.net',
  port: 443,
  target: 'http://127.0.0.1:18789',
  mode: 'serve',
};
const FUNNEL: TailscaleEntry = { ...SERVE, mode: 'funnel' };
const root = (target: string, isPublic = false): ServeStatus => ({
  TCP: { '443': { HTTPS: true } },
  Web: { 'gw.tail1234.ts.net:443': { Handlers: { '/': { Proxy: target } } } },
  ...(isPublic && { AllowFunnel: { 'gw.tail1234.ts.net:443': true } }),
});

describe('what stands at the port', () => {
  it('[H-02] is ours beside a path of another program', () => {
    const status = find('last target ours","expect":"serve --https').serve_status!;
    expect(judge(status, SERVE, [SERVE], false)).toEqual({ kind: 'up' });
    expect(hasEntry(status, SERVE)).toBe(true);
  });

  it('[H-06] prevents a funnel, which would open all of it', () => {
    const finding = judge(find('"when":"mode funnel"').serve_status!, FUNNEL, [], false);
    expect(finding).toMatchObject({ kind: 'taken', problem: expect.stringContaining('/grafana') as string });
  });

  it('[H-06] prevents serve when another program or a person has made it public', () => {
    const foreign = judge(find('"when":"mode serve"').serve_status!, SERVE, [], false);
    expect(foreign).toMatchObject({ kind: 'taken', problem: expect.stringContaining('/hook') as string });
    const ours = find('"when":"mode serve, last target ours"').serve_status!;
    expect(judge(ours, SERVE, [SERVE], false).kind).toBe('taken');
    // Our last mode was funnel: serve ends it.
    expect(judge(ours, SERVE, [FUNNEL], false)).toEqual({ kind: 'free', hasOwn: false });
  });

  it('[H-02] is taken by a program in the foreground', () => {
    const finding = judge(find('Foreground').serve_status!, SERVE, [], false);
    expect(finding).toMatchObject({
      kind: 'taken',
      problem: expect.stringContaining('http://127.0.0.1:5173') as string,
    });
    expect(judge(find('Foreground').serve_status!, { ...SERVE, port: 8_443 }, [], false).kind).toBe('taken');
    expect(judge(find('Foreground').serve_status!, { ...SERVE, port: 10_000 }, [], false).kind).toBe('free');
  });

  it('[H-05] is ours in the foreground only while we hold it', () => {
    const status: ServeStatus = { Foreground: { abc: root(SERVE.target, true) } };
    expect(judge(status, FUNNEL, [FUNNEL], true).kind).toBe('up');
    expect(judge(status, FUNNEL, [FUNNEL], false).kind).toBe('ending');
    expect(judge(status, SERVE, [FUNNEL], false).kind).toBe('ending');
    expect(judge(status, FUNNEL, [], false).kind).toBe('taken');
  });

  it('[H-02] is free when there is nothing, in each of its forms', () => {
    for (const text of ['null', '{}', JSON.stringify(find('svc:db').serve_status), '{"TCP":null,"Web":null}'])
      expect(judge(parseServeStatus(text), SERVE, [], false).kind).toBe('free');
    expect(() => parseServeStatus('')).toThrow('gave no object');
    expect(() => parseServeStatus('[]')).toThrow('gave no object');
  });

  it('[H-02] is left alone and named when it is not ours', () => {
    expect(judge(root('http://127.0.0.1:3000'), SERVE, [], false)).toMatchObject({
      kind: 'taken',
      problem: expect.stringContaining('http://127.0.0.1:3000') as string,
    });
    const tcp: ServeStatus = { TCP: { '443': { TCPForward: 'localhost:5432' } } };
    expect(judge(tcp, SERVE, [], false)).toMatchObject({
      kind: 'taken',
      problem: expect.stringContaining('tcp://localhost:5432') as string,
    });
    const text: ServeStatus = { Web: { 'gw.tail1234.ts.net:443': { Handlers: { '/': { Text: 'hi' } } } } };
    expect(judge(text, SERVE, [], false).kind).toBe('taken');
  });

  it('[H-03] is taken over when an earlier run has set it', () => {
    const earlier = { ...SERVE, target: 'http://127.0.0.1:4321' };
    expect(judge(root(earlier.target), SERVE, [earlier], false)).toEqual({ kind: 'free', hasOwn: false });
    expect(judge(root(SERVE.target), FUNNEL, [SERVE], false)).toEqual({ kind: 'free', hasOwn: true });
    expect(judge(root(SERVE.target), FUNNEL, [], false).kind).toBe('taken');
    expect(judge(root(SERVE.target, true), FUNNEL, [], false).kind).toBe('up');
  });

  it('is the same address in other words', () => {
    expect(judge(root('http://localhost:18789/'), SERVE, [], false).kind).toBe('up');
    expect(judge(root('https+insecure://127.0.0.1:18789'), SERVE, [], false).kind).toBe('taken');
  });

  it('[H-02] may belong to another name of the machine', () => {
    const status: ServeStatus = {
      Web: { 'old.tail1234.ts.net:443': { Handlers: { '/': { Proxy: SERVE.target } } } },
    };
    expect(hasEntry(status, SERVE)).toBe(false);
    expect(judge(status, SERVE, [], false).kind).toBe('free');
  });
});

describe('the state of the machine', () => {
  it('[H-04] is waited for while Tailscale starts', () => {
    expect(readMachineState(JSON.stringify(find('"Starting"').status))).toEqual({ kind: 'starting' });
    expect(readMachineState('{"BackendState":"NoState"}')).toEqual({ kind: 'starting' });
  });

  it('[H-04] says what the operator does', () => {
    const explain = (status: object) => () => readMachineState(JSON.stringify(status));
    expect(explain(find('NeedsMachineAuth').status!)).toThrow('an admin of the tailnet must approve this machine');
    expect(explain(find('CertDomains').status!)).toThrow('switch on HTTPS certificates');
    expect(explain({ BackendState: 'NeedsLogin' })).toThrow('sudo tailscale up');
    expect(explain({ BackendState: 'Stopped' })).toThrow('sudo tailscale up');
    expect(explain({ BackendState: 'Running', Self: null })).toThrow('MagicDNS');
    expect(explain({ BackendState: 'Running', Self: { DNSName: 'a.b.', Online: false } })).toThrow('not connected');
    for (const DNSName of ['--help.', 'a b/@evil.example:1#.', 'a..b.', ''])
      expect(explain({ BackendState: 'Running', Self: { DNSName, Online: true } })).toThrow('has no name');
    expect(explain({ BackendState: 'Dreaming' })).toThrow('Dreaming');
    expect(explain({})).toThrow('does not run');
  });

  it('is the name without its dot when it runs', () => {
    const status = { BackendState: 'Running', Self: { DNSName: 'GW.tail1234.ts.net.', Online: true } };
    expect(readMachineState(JSON.stringify(status))).toEqual({ kind: 'running', host: 'gw.tail1234.ts.net' });
  });
});

describe('a call without effect', () => {
  const outputOf = ({ serve }: Case) => ({
    code: serve!.exit,
    stdout: serve!.stdout ?? '',
    stderr: serve!.stderr ?? '',
    isLate: false,
  });

  it('[H-04] has the address at which consent is given', () => {
    const output = outputOf(find('is not enabled on your tailnet'));
    expect(explainFailure(output, SERVE)).toContain('https://login.tailscale.com/f/serve?node=n1');
  });

  it('[H-04] is made again after a conflict of writers', () => {
    expect(isConflict(outputOf(find('Another client')))).toBe(true);
  });

  it('[H-04] names the user who needs the right, and the port that is taken', () => {
    expect(explainFailure(outputOf(find('serve config denied')), SERVE)).toMatch(/sudo tailscale set --operator=\w+/);
    const taken = explainFailure(outputOf(find('listener already exists')), SERVE);
    expect(taken).toContain('listens on port 443');
    expect(taken).toContain('gateway.tailscale_port');
  });

  it('[H-04] is explained in other cases too', () => {
    const plain = { code: 0, stdout: '', stderr: '', isLate: false };
    expect(explainFailure(plain, SERVE)).toContain('reports success');
    expect(explainFailure({ ...plain, code: null, isLate: true }, SERVE)).toContain('did not end in time');
    expect(explainFailure({ ...plain, code: 1, stderr: 'odd\nmore' }, SERVE)).toBe(
      '`tailscale` failed with code 1: odd',
    );
    const said = explainFailure({ ...plain, code: 1, stderr: 'must be root, or' }, { ...SERVE, target: "unix:/a b's" });
    expect(said).toContain(String.raw`sudo tailscale serve --bg --yes --https=443 --set-path=/ 'unix:/a b'\''s'`);
    expect(serveCommand(443, 'unix:/srv/a.sock', ['--socket=/run/t.sock'])).toBe(
      'tailscale --socket=/run/t.sock serve --bg --yes --https=443 --set-path=/ unix:/srv/a.sock',
    );
  });
});
