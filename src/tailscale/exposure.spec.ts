import { describe, expect, it } from 'vitest';
import { TailscaleStore, type TailscaleEntry } from '../core/store/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import { Exposure } from './exposure.js';
import { TailscaleClient } from './tailscale-client.js';
import { TailscaleProgram, type ProgramResult } from './tailscale-program.js';

const HOST = 'gw.tail1234.ts.net';
const PORTS = [443, 8_443];
/** Addresses at which the gateway listens, in one run or another. */
const OWN = ['http://127.0.0.1:18789', 'http://127.0.0.1:4321', 'unix:/run/gateway/tailscale.sock'];
const FOREIGN = ['http://127.0.0.1:3000', 'http://127.0.0.1:3001'];
const LONG = process.env['LONG'] !== undefined;

class Crash extends Error {}

/** Pauses take no time. */
class HastyClock extends ManualClock {
  override async sleep(): Promise<void> {}
}

/** A program in memory, and a gateway that may end before or after each call. */
class ProgramInMemory extends TailscaleProgram {
  /** Where each path of each port leads. */
  readonly mounts = new Map<string, string>();
  /** The calls until the gateway ends, and whether the last one still takes effect. */
  crash: { calls: number; readonly hasEffect: boolean } | undefined;
  conflicts = 0;

  constructor() {
    super(
      () => undefined,
      () => undefined,
    );
  }

  override run(args: readonly string[]): Promise<ProgramResult> {
    if (this.crash) {
      const isLast = this.crash.calls-- <= 0;
      if (isLast && !this.crash.hasEffect) return Promise.reject(new Crash());
      if (isLast) {
        this.perform(args);
        return Promise.reject(new Crash());
      }
    }
    return Promise.resolve(this.perform(args));
  }

  private perform(args: readonly string[]): ProgramResult {
    const done = { code: 0, stdout: '', stderr: '', isLate: false };
    if (args[0] === 'status') return { ...done, stdout: JSON.stringify({ Self: { DNSName: `${HOST}.` } }) };
    if (args.join(' ') === 'serve status --json') return { ...done, stdout: JSON.stringify(this.describe()) };
    if (this.conflicts-- > 0)
      return { ...done, code: 1, stderr: 'Another client is changing the serve config; please try again.' };
    const port = args.find((arg) => arg.startsWith('--https='))?.slice('--https='.length);
    const target = args.at(-1) ?? '';
    expect(args).toContain('--set-path=/');
    const name = `${port} /`;
    if (target !== 'off') this.mounts.set(name, target);
    else if (!this.mounts.delete(name)) return { ...done, code: 1, stderr: 'handler does not exist' };
    return done;
  }

  private describe(): object {
    const web = PORTS.map((port) => {
      const own = [...this.mounts].filter(([name]) => name.startsWith(`${port} `));
      return [
        `${HOST}:${port}`,
        { Handlers: Object.fromEntries(own.map(([name, Proxy]) => [name.split(' ')[1], { Proxy }])) },
      ];
    });
    return { Web: Object.fromEntries(web) as object };
  }
}

class EntriesInMemory extends TailscaleStore {
  entries: readonly TailscaleEntry[] = [];

  override async listTailscaleEntries(): Promise<readonly TailscaleEntry[]> {
    return this.entries;
  }

  override async keepTailscaleEntry(entry: TailscaleEntry): Promise<void> {
    await this.forgetTailscaleEntry(entry);
    this.entries = [...this.entries, entry];
  }

  override async forgetTailscaleEntry({ host, port, target }: TailscaleEntry): Promise<void> {
    this.entries = this.entries.filter((one) => one.host !== host || one.port !== port || one.target !== target);
  }
}

/** A generator of numbers below `limit`, the same for the same seed. */
function makeRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * limit);
  };
}

describe('what the gateway sets in Tailscale', () => {
  const never = new AbortController().signal;
  const clock = new HastyClock();

  it('[H-03] is found and removed after any crash, and nothing of others is touched', async () => {
    let [sets, crashes, refusals] = [0, 0, 0];
    for (let seed = 1; seed <= (LONG ? 2_000 : 150); seed++) {
      const random = makeRandom(seed);
      const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
      const program = new ProgramInMemory();
      const store = new EntriesInMemory();
      const foreign = new Map<string, string>();
      const open = () => new Exposure(new TailscaleClient(program, clock), store, clock, () => {});
      /** Another program takes what is free. */
      const occupy = (name: string, target: string) => {
        if (program.mounts.has(name)) return;
        program.mounts.set(name, target);
        foreign.set(name, target);
      };
      let exposure = open();
      for (let step = 0; step < 25; step++) {
        program.conflicts = random(20) === 0 ? 1 : 0;
        program.crash = random(3) === 0 ? { calls: random(5), hasEffect: random(2) === 0 } : undefined;
        const wanted = { host: HOST, port: pick(PORTS), target: pick(OWN), mode: 'serve' } as const;
        const name = `${pick(PORTS)} ${pick(['/', '/grafana'])}`;
        const action = random(10);
        try {
          if (action < 5) {
            await exposure.establish(wanted, never);
            expect(program.mounts.get(`${wanted.port} /`)).toBe(wanted.target);
            expect(store.entries).toEqual([wanted]);
            sets++;
          } else if (action < 7) {
            await exposure.withdraw();
            expect([...program.mounts.values()].filter((target) => OWN.includes(target))).toEqual([]);
            expect(store.entries).toEqual([]);
          } else if (action < 9) {
            occupy(name, pick(FOREIGN));
          } else if (foreign.delete(name)) program.mounts.delete(name);
        } catch (error) {
          if (error instanceof Crash) {
            crashes++;
            exposure = open();
          } else {
            expect((error as Error).message).toMatch(/which is not this gateway/);
            expect(foreign.has(`${wanted.port} /`)).toBe(true);
            refusals++;
          }
        }
        for (const [path, target] of foreign)
          expect([seed, path, program.mounts.get(path)]).toEqual([seed, path, target]);
      }
      program.crash = undefined;
      await exposure.withdraw();
      expect(Object.fromEntries(program.mounts)).toEqual(Object.fromEntries(foreign));
    }
    expect(Math.min(sets, crashes, refusals)).toBeGreaterThan(50);
  });
});
