import { notesOfCancel } from '../../../core/audit/audit-notes.js';
import type { QueueStore } from '../../../core/store/index.js';
import {
  packNewMessage,
  packOutcome,
  unpackNewMessage,
  unpackOutcome,
  type PackedNewMessage,
  type PackedOutcome,
} from '../thread/accept-packing.js';
import { packClaims, packMessage, unpackClaims, unpackMessage, type PackedClaims } from '../thread/packing.js';
import { last, packedRead, packedWrite, read, same, write, type Rows } from './row.js';

export const QUEUE_ROWS: Rows<Omit<QueueStore, 'acceptThen'>> = {
  accept: packedWrite<QueueStore['accept'], PackedNewMessage, PackedOutcome>(
    {
      pack: packNewMessage,
      run: ({ queue, now }, ...packed) => {
        const message = unpackNewMessage(packed);
        return packOutcome(queue.accept(now, message), message);
      },
      unpack: (outcome, [message], kept) => unpackOutcome(outcome, message, kept),
    },
    { before: 'enqueue.before_commit', after: 'enqueue.after_commit' },
    (outcome) => !('kind' in outcome) || outcome.kind === 'accepted',
  ),
  // Last, so that it claims what the same commit accepts and frees.
  claim: last(
    packedWrite<QueueStore['claim'], Parameters<QueueStore['claim']>, PackedClaims>(
      {
        pack: same,
        run: ({ queue, now }, request) => packClaims(...queue.claim(now, request)),
        unpack: (claims, [{ replicaId }], kept) => unpackClaims(claims, replicaId, kept),
      },
      { after: 'claim.after' },
      ([claims]) => claims.length > 0,
    ),
  ),
  renew: read(({ queue }, leases) => queue.renew(leases)),
  release: write(({ queue }, lease, notBefore) => queue.release(lease, notBefore)),
  cancel: write(({ queue, audit, now }, selector, timestamp, actor) => {
    const outcome = queue.cancel(selector, timestamp);
    if (actor !== undefined && outcome)
      for (const note of notesOfCancel(selector, outcome, actor)) audit.add(now, note);
    return outcome;
  }),
  findMessage: packedRead({
    pack: same<Parameters<QueueStore['findMessage']>>,
    run: ({ queue }, selector) => {
      const message = queue.findMessage(selector);
      return message && packMessage(message);
    },
    unpack: (message) => message && unpackMessage(message),
  }),
  countQueue: read(({ queue, now }, activeSince) => queue.count(now, activeSince)),
};
