import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/testing/index.js';
import { findBrowser } from '../support/browser.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { BrowserGateway, listProcessesOf, TestSite } from '../support/tool-browser.js';

/** A user without rights. */
const NOBODY = 65_534;

/** Returns the process group of a process. */
const groupOf = (pid: number) =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')[2];

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'starts-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a browser that does not start', () => {
  it('[U-15] is started again after pauses that grow to five minutes, with what it has printed as the reason', async () => {
    const program = join(folder, 'chromium');
    writeFileSync(program, '#!/bin/sh\necho "no usable display" >&2\nexit 1\n', { mode: 0o755 });
    const clock = new ManualClock();
    const browser = await BrowserGateway.start({ 'tools.browser.executable': program }, { clock });
    try {
      const open = async () => (await browser.call('browser.open', { url: 'https://example.org' })).page;
      const pauses: number[] = [];
      for (let i = 0; i < 11; i++) {
        expect(await open()).toMatch(/^the browser does not start: .*no usable display$/);
        const [, seconds] = /it is tried again in (\d+) s$/.exec(await open()) ?? [];
        pauses.push(Number(seconds));
        clock.advance(Number(seconds) * 1_000);
      }
      expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
      expect(browser.listRuns()).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

describe('the browser of a gateway that does not run as root', () => {
  let site: TestSite;
  let gateway: GatewayProcess | undefined;
  beforeEach(async () => void (site = await TestSite.start()));
  afterEach(async () => {
    await gateway?.end();
    for (const pid of listProcessesOf(folder)) process.kill(pid, 'SIGKILL');
    await site.close();
  });

  it('[U-15] keeps its own sandbox: pages run in a user namespace of their own, under a filter of system calls', async () => {
    const executable = await findBrowser();
    // What the packages of the tests unpack is readable by their user alone.
    execFileSync('chmod', ['-R', 'a+rX', dirname(executable)]);
    chmodSync(folder, 0o755);
    if (process.getuid?.() === 0) chownSync(folder, NOBODY, NOBODY);
    const env = {
      HOME: folder,
      OPENCLAW_TOOLS_BROWSER_ENABLED: 'true',
      OPENCLAW_TOOLS_BROWSER_EXECUTABLE: executable,
      OPENCLAW_TOOLS_BROWSER_ALLOW_HOSTS: JSON.stringify([site.host]),
      OPENCLAW_TOOLS_DEFAULT_PERMISSIONS: '["browser"]',
      ...(process.env['LD_LIBRARY_PATH'] === undefined ? {} : { LD_LIBRARY_PATH: process.env['LD_LIBRARY_PATH'] }),
    };
    gateway = new GatewayProcess({ folder, env, ...(process.getuid?.() === 0 && { user: NOBODY }) });
    const client = await gateway.connect('test');
    const content = `/tool browser.open ${JSON.stringify({ url: site.page('/plain', '<h1>Plain</h1>') })}`;
    client.send('message_in', { channel: 'test', sender: 'ann', content });
    const block = await client.next((frame) => frame.payload['block_type'] === 'tool_result');
    expect(block.payload['content']).toContain('heading \\"Plain\\"');
    // Its other processes are of its group; they do not all name the folder.
    const groups = listProcessesOf(folder).map(groupOf);
    const renderers = listProcessesOf('--type=renderer').filter((pid) => groups.includes(groupOf(pid)));
    expect(renderers.length).toBeGreaterThan(0);
    for (const pid of renderers) {
      expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/Seccomp:\s+2/);
      expect(readlinkSync(`/proc/${pid}/ns/user`)).not.toBe(readlinkSync('/proc/self/ns/user'));
    }
    client.socket.terminate();
  });
});
