/** The rows of the table of operations, and the functions that make them. */
import type { Failpoint } from '../../../core/failpoints/failpoint.js';
import type { AdminOperations } from '../sql/admin-operations.js';
import type { ApprovalOperations } from '../sql/approval-operations.js';
import type { AuditTrail } from '../sql/audit-trail.js';
import type { CanvasOperations } from '../sql/canvas-operations.js';
import type { ChannelOperations } from '../sql/channel-operations.js';
import type { CredentialOperations } from '../sql/credential-operations.js';
import type { CronOperations } from '../sql/cron-operations.js';
import type { Erasure } from '../sql/erasure.js';
import type { FrameOperations } from '../sql/frame-operations.js';
import type { Heartbeat } from '../sql/heartbeat.js';
import type { MediaOperations } from '../sql/media-operations.js';
import type { MemoryOperations } from '../sql/memory-operations.js';
import type { NodeOperations } from '../sql/node-operations.js';
import type { NodeTrafficOperations } from '../sql/node-traffic-operations.js';
import type { KeptRecords } from '../thread/packing.js';
import type { QueueOperations } from '../sql/queue-operations.js';
import type { SessionLists } from '../sql/session-lists.js';
import type { SessionOperations } from '../sql/session-operations.js';
import type { SettingsOperations } from '../sql/settings-operations.js';
import type { SignInOperations } from '../sql/sign-in-operations.js';
import type { Sweeper } from '../sql/sweeper.js';
import type { TailscaleOperations } from '../sql/tailscale-operations.js';
import type { TurnOperations } from '../sql/turn-operations.js';
import type { UsageOperations } from '../sql/usage-operations.js';

/** The implementations, in the thread that owns the database. */
export interface Parts {
  /** The time of the batch that runs, in Unix milliseconds. */
  readonly now: number;
  readonly queue: QueueOperations;
  readonly turns: TurnOperations;
  readonly sessions: SessionOperations;
  readonly frames: FrameOperations;
  readonly settings: SettingsOperations;
  readonly signIns: SignInOperations;
  readonly admin: AdminOperations;
  readonly erasure: Erasure;
  readonly lists: SessionLists;
  readonly approvals: ApprovalOperations;
  readonly canvas: CanvasOperations;
  readonly channels: ChannelOperations;
  readonly credentials: CredentialOperations;
  readonly cron: CronOperations;
  readonly media: MediaOperations;
  readonly memories: MemoryOperations;
  readonly nodes: NodeOperations;
  readonly nodeTraffic: NodeTrafficOperations;
  readonly tailscale: TailscaleOperations;
  readonly usage: UsageOperations;
  readonly audit: AuditTrail;
  readonly sweeper: Sweeper;
  readonly heartbeat: Heartbeat;
}

/** A kind of change with the failpoints around its commit. Such a commit also proves that commits are possible. */
export interface Change {
  readonly before?: Failpoint;
  readonly after?: Failpoint;
}

/** The form in which a method's arguments and result pass between the threads. */
interface Passage<F extends Method, Sent extends readonly unknown[], Returned> {
  /** Packs the arguments, in the caller's thread. */
  readonly pack: (...all: Parameters<F>) => Sent;
  /** Runs the operation, in the thread that owns the database. */
  readonly run: (parts: Parts, ...sent: Sent) => Returned;
  /** Unpacks the result, in the caller's thread. */
  readonly unpack: (returned: Returned, all: Parameters<F>, kept: KeptRecords) => Awaited<ReturnType<F>>;
}

/** The implementation of an operation whose arguments and result need no packing. */
type Run<F extends Method> = (parts: Parts, ...all: Parameters<F>) => Awaited<ReturnType<F>>;

/** A row of the table with erased types; they were checked when the row was made. */
export interface Operation {
  /** Reads see committed data and do not wait for commits; the writes of a batch share a transaction. */
  readonly kind: 'read' | 'write';
  /** It runs after all other calls of its batch. */
  readonly isLast?: true;
  readonly pack?: (...all: unknown[]) => readonly unknown[];
  readonly run: (parts: Parts, ...sent: unknown[]) => unknown;
  readonly unpack?: (returned: unknown, all: readonly unknown[], kept: KeptRecords) => unknown;
  readonly change?: Change;
  /** Returns from the result of `run` whether the transaction contains the change. */
  readonly hasChanged?: (returned: unknown) => boolean;
}

/** A row that implements the method `F`, which exists for type checks only. */
export type Row<F extends Method> = Operation & { readonly method?: F };

/** The rows of a port's methods: all of them, and no others. */
export type Rows<P extends Record<keyof P, Method>> = { readonly [N in keyof P]: Row<P[N]> };

export type Method = (...all: never[]) => Promise<unknown>;

export function read<F extends Method>(run: Run<F>): Row<F> {
  return { kind: 'read', run: run as Operation['run'] };
}

export function write<F extends Method>(run: Run<F>, change?: Change): Row<F> {
  return { kind: 'write', run: run as Operation['run'], ...(change && { change, hasChanged: isDefined }) };
}

export function packedRead<F extends Method, Sent extends readonly unknown[], Returned>(
  passage: Passage<F, Sent, Returned>,
): Row<F> {
  return { kind: 'read', ...passage } as unknown as Row<F>;
}

export function packedWrite<F extends Method, Sent extends readonly unknown[], Returned>(
  passage: Passage<F, Sent, Returned>,
  change: Change = {},
  hasChanged?: (returned: Returned) => boolean,
): Row<F> {
  return { kind: 'write', ...passage, change, hasChanged } as unknown as Row<F>;
}

/** Makes an operation run after all other calls of its batch. */
export function last<F extends Method>(row: Row<F>): Row<F> {
  return { ...row, isLast: true };
}

export const isDefined = (returned: unknown): boolean => returned !== undefined;

/** Packs nothing: passes the arguments as they are. */
export const same = <A extends readonly unknown[]>(...all: A): A => all;
