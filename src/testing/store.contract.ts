/**
 * The contract of every store, as tests: `describeStoreContract` runs them against one. For vitest; not in the barrel of
 * fakes, which need no test runner.
 */
import { afterEach, beforeEach, describe, it } from 'vitest';
import { StoreBench, type Contract, type StoreUnderTest } from './store/bench.js';
import {
  approvalsContract,
  mediaContract,
  reactionContract,
  settingsContract,
  tailscaleContract,
} from './store/administration.contract.js';
import { adminContract } from './store/admin.contract.js';
import { auditContract } from './store/audit.contract.js';
import { canvasContract } from './store/canvas.contract.js';
import { channelsContract } from './store/channels.contract.js';
import { credentialsContract } from './store/credentials.contract.js';
import { cronContract } from './store/cron.contract.js';
import { cancelContract } from './store/cancel.contract.js';
import { frameContract, sweepContract } from './store/frames.contract.js';
import { memoryContract } from './store/memory.contract.js';
import { nodesContract } from './store/nodes.contract.js';
import { acceptContract, claimContract } from './store/queue.contract.js';
import { recoveryContract } from './store/recovery.contract.js';
import { sessionContract } from './store/sessions.contract.js';
import { supersedingContract } from './store/superseding.contract.js';
import { turnContract } from './store/turns.contract.js';
import { usageContract } from './store/usage.contract.js';

/** Tests that a store does not pass, and why. */
export interface ContractGap {
  readonly reason: string;
  /** Exact names of tests. */
  readonly tests: readonly string[];
}

/** The parts of the contract, each a list of tests. */
export const STORE_CONTRACT: Readonly<Record<string, Contract>> = {
  'accepts messages': acceptContract,
  'claims messages': claimContract,
  'cancels messages': cancelContract,
  'supersedes messages': supersedingContract,
  'writes turns': turnContract,
  'keeps sessions': sessionContract,
  'keeps logs': frameContract,
  'keeps reactions': reactionContract,
  'keeps settings': settingsContract,
  'keeps what is set in Tailscale': tailscaleContract,
  'keeps approvals': approvalsContract,
  'shows and deletes what operators want': adminContract,
  'keeps the audit trail': auditContract,
  'keeps what channels receive and send': channelsContract,
  'keeps credentials': credentialsContract,
  'keeps cron jobs': cronContract,
  'keeps device nodes': nodesContract,
  'keeps surfaces': canvasContract,
  'knows uploaded files': mediaContract,
  'keeps memories': memoryContract,
  'keeps usage and quotas': usageContract,
  'sweeps what is old': sweepContract,
  'survives its process': recoveryContract,
};

/**
 * Registers the contract as vitest tests.
 * @param makeStore gives a new, empty store for each test
 * @throws Error when `skip` names a test that does not exist
 */
export function describeStoreContract(
  name: string,
  makeStore: () => Promise<StoreUnderTest>,
  { skip = [] }: { readonly skip?: readonly ContractGap[] } = {},
): void {
  const gaps = new Map(skip.flatMap(({ reason, tests }) => tests.map((test) => [test, reason])));
  const titles = Object.values(STORE_CONTRACT).flatMap((tests) => Object.keys(tests));
  const unknown = [...gaps.keys()].filter((test) => !titles.includes(test));
  if (unknown.length > 0) throw new Error(`no such tests in the store contract: ${unknown.join('; ')}`);

  describe(name, () => {
    let bench: StoreBench;
    beforeEach(async () => {
      bench = new StoreBench(await makeStore());
    });
    afterEach(() => bench.under.dispose());

    for (const [part, tests] of Object.entries(STORE_CONTRACT)) {
      describe(part, () => {
        for (const [title, test] of Object.entries(tests)) {
          const gap = gaps.get(title);
          it(gap === undefined ? title : `${title} (${gap})`, { skip: gap !== undefined }, () => test(bench));
        }
      });
    }
  });
}

export { ReopenedStore, type OpenStore, type StorePorts, type StoreUnderTest } from './store/bench.js';
