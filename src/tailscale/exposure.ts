import type { TailscaleEntry, TailscaleStore } from '../core/store/index.js';
import type { Clock } from '../core/time/clock.js';
import { explainFailure } from './explain-failure.js';
import { HeldProgram } from './held-program.js';
import { hasEntry, judge } from './serve-status.js';
import type { TailscaleClient } from './tailscale-client.js';
import { TailscaleError } from './tailscale-error.js';
import { CALL_TIMEOUT_MS } from './tailscale-program.js';

const POLL_MS = 250;
/** Time in which the entry of a gateway that has crashed goes by itself, in milliseconds. */
const ENDING_PATIENCE_MS = 10_000;

/**
 * The entry of this gateway in the configuration of Tailscale. What it sets is in the store before it is set, so that after
 * a crash the gateway knows its own.
 */
export class Exposure {
  private held: HeldProgram | undefined;

  /** @param onLost called when the program that holds a funnel ends by itself */
  constructor(
    private readonly client: TailscaleClient,
    private readonly store: TailscaleStore,
    private readonly clock: Clock,
    private readonly onLost: () => void,
  ) {}

  /**
   * Sets the entry, unless it is there. Entries of this gateway at other ports go first.
   * @param signal ends waiting
   * @throws TailscaleError that says why it is not there, and what the operator does
   */
  async establish(wanted: TailscaleEntry, signal: AbortSignal): Promise<void> {
    const entries = await this.store.listTailscaleEntries();
    const others = entries.filter(({ host, port }) => host !== wanted.host || port !== wanted.port);
    if (others.length > 0) await this.remove(others, wanted.host);
    if (this.held && (wanted.mode === 'serve' || others.length > 0)) await this.endHeld();
    const own = entries.filter((entry) => !others.includes(entry));
    const finding = await this.judgeInTime(wanted, own, signal);
    if (finding.kind === 'taken') throw new TailscaleError(finding.problem);
    if (finding.kind === 'ending') throw new TailscaleError('the funnel of an earlier gateway has not ended yet');
    if (finding.kind === 'free') await this.set(wanted, finding.hasOwn ? own : [], signal);
    await this.forgetExcept(wanted);
  }

  /** Removes what this gateway has set, and nothing else. @param timeoutMs of each call */
  async withdraw(timeoutMs = CALL_TIMEOUT_MS): Promise<void> {
    await this.endHeld();
    const entries = await this.store.listTailscaleEntries();
    if (entries.length > 0) await this.remove(entries, await this.client.readName(timeoutMs), timeoutMs);
  }

  /** The entry is in the store before it is set, beside the one that it replaces. @throws TailscaleError if it is not there then */
  private async set(wanted: TailscaleEntry, replaced: readonly TailscaleEntry[], signal: AbortSignal): Promise<void> {
    if (replaced.length > 0) await this.remove(replaced, wanted.host);
    await this.store.keepTailscaleEntry(wanted);
    const output = wanted.mode === 'serve' ? await this.client.serve(wanted) : await this.hold(wanted, signal);
    const status = await this.client.readServe();
    if (judge(status, wanted, [wanted], this.isHolding).kind === 'up') return;
    await this.endHeld();
    if (!hasEntry(status, wanted)) await this.store.forgetTailscaleEntry(wanted);
    throw new TailscaleError(explainFailure(output, wanted, this.client.program.options));
  }

  /** Forgets what an entry has replaced. */
  private async forgetExcept({ target }: TailscaleEntry): Promise<void> {
    for (const entry of await this.store.listTailscaleEntries())
      if (entry.target !== target) await this.store.forgetTailscaleEntry(entry);
  }

  private get isHolding(): boolean {
    return this.held?.isAlive ?? false;
  }

  /** Waits for what a crashed gateway has held. */
  private async judgeInTime(wanted: TailscaleEntry, own: readonly TailscaleEntry[], signal: AbortSignal) {
    const until = this.clock.elapsed() + ENDING_PATIENCE_MS;
    for (;;) {
      const finding = judge(await this.client.readServe(), wanted, own, this.isHolding);
      if (finding.kind !== 'ending' || signal.aborted || this.clock.elapsed() >= until) return finding;
      await this.clock.sleep(POLL_MS, signal);
    }
  }

  /** Starts the program that holds a funnel. Resolves when the funnel is there, the program has ended, or is too slow. */
  private async hold(wanted: TailscaleEntry, signal: AbortSignal) {
    await this.endHeld();
    const { port, target } = wanted;
    const args = ['funnel', '--yes', `--https=${port}`, '--set-path=/', target];
    const held = new HeldProgram(this.client.program, args);
    this.held = held;
    void this.watch(held);
    const until = this.clock.elapsed() + CALL_TIMEOUT_MS;
    while (held.isAlive && !signal.aborted && this.clock.elapsed() < until) {
      if (judge(await this.client.readServe(), wanted, [wanted], true).kind === 'up') break;
      await this.clock.sleep(POLL_MS, signal);
    }
    return held.output;
  }

  private async watch(held: HeldProgram): Promise<void> {
    await held.ended;
    if (this.held === held) this.onLost();
  }

  private async endHeld(): Promise<void> {
    const { held } = this;
    this.held = undefined;
    await held?.end();
  }

  /**
   * `off` acts on the present name of the machine. Entries under an earlier name do no harm, and are only forgotten.
   * @param name the present name; undefined if it is not known
   * @throws TailscaleError if an entry stays
   */
  private async remove(
    entries: readonly TailscaleEntry[],
    name: string | undefined,
    timeoutMs?: number,
  ): Promise<void> {
    let status = await this.client.readServe(timeoutMs);
    for (const entry of entries) {
      if (hasEntry(status, entry) && (name ?? entry.host) === entry.host) {
        const wasThere = await this.client.off(entry, timeoutMs);
        status = await this.client.readServe(timeoutMs);
        if (hasEntry(status, entry) && wasThere)
          throw new TailscaleError(
            `port ${entry.port} of Tailscale still leads to ${entry.target}: ` +
              `run \`tailscale ${entry.mode} --https=${entry.port} --set-path=/ off\``,
          );
      }
      await this.store.forgetTailscaleEntry(entry);
    }
  }
}
