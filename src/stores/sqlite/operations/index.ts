/**
 * The table of operations: all methods of the ports that read or write the database, a file of rows for each port. The
 * methods of the store, the calls between the threads and their dispatch are derived from it. A new method of a port
 * needs a row in the port's file and an implementation; the compiler requires both.
 */
import type { Store, StorePorts } from '../../../core/store/index.js';
import type { Moment } from '../../../core/time/clock.js';
import { ADMIN_ROWS } from './admin.js';
import { APPROVAL_ROWS } from './approval.js';
import { AUDIT_ROWS } from './audit.js';
import { CANVAS_ROWS } from './canvas.js';
import { CHANNEL_ROWS } from './channel.js';
import { CREDENTIAL_ROWS } from './credential.js';
import { CRON_ROWS } from './cron.js';
import { FRAME_ROWS } from './frame.js';
import { MEDIA_ROWS } from './media.js';
import { MEMORY_ROWS } from './memory.js';
import { NODE_ROWS } from './node.js';
import { QUEUE_ROWS } from './queue.js';
import type { Operation, Rows } from './row.js';
import { SESSION_ROWS } from './session.js';
import { SETTINGS_ROWS } from './settings.js';
import { STORE_ROWS } from './store.js';
import { TAILSCALE_ROWS } from './tailscale.js';
import { TURN_ROWS } from './turn.js';
import { USAGE_ROWS } from './usage.js';

export type { Change, Operation, Parts } from './row.js';

/** Methods with a callback. They call the operations of their variants with promises. */
type CallbackMethod = 'acceptThen' | 'finishThen';

/** The ports' methods that are operations of the database. */
export type Ports = Omit<StorePorts, CallbackMethod | Exclude<keyof Store, keyof typeof STORE_ROWS>>;

export const OPERATIONS: Rows<Ports> = {
  ...QUEUE_ROWS,
  ...TURN_ROWS,
  ...SESSION_ROWS,
  ...FRAME_ROWS,
  ...SETTINGS_ROWS,
  ...ADMIN_ROWS,
  ...APPROVAL_ROWS,
  ...AUDIT_ROWS,
  ...CANVAS_ROWS,
  ...CHANNEL_ROWS,
  ...CREDENTIAL_ROWS,
  ...CRON_ROWS,
  ...MEDIA_ROWS,
  ...MEMORY_ROWS,
  ...NODE_ROWS,
  ...TAILSCALE_ROWS,
  ...USAGE_ROWS,
  ...STORE_ROWS,
};

export type OperationName = keyof typeof OPERATIONS;

/** A call: the operation's name, then its packed arguments. */
export type Call = readonly [name: OperationName, ...sent: unknown[]];

/** Makes the call of an operation. */
export function callOf<N extends OperationName>(name: N, ...all: Parameters<Ports[N]>): Call {
  const { pack }: Operation = OPERATIONS[name];
  return [name, ...(pack ? pack(...all) : all)];
}

/** Calls that run together: all reads, or all writes. The moment is when the batch was sent; it applies to all calls. */
export interface Batch extends Moment {
  readonly kind: Operation['kind'];
  readonly calls: readonly Call[];
}

/** The results in the order of the calls. `failures` has the errors of failed calls. */
export interface BatchReply {
  readonly results: readonly unknown[];
  readonly failures: readonly Failure[];
}

export interface Failure {
  /** Index of the call in its batch. */
  readonly index: number;
  readonly error: Error;
  /** True if the store could not commit or read (disk, lock); false if this call itself was at fault. */
  readonly unavailable: boolean;
}
