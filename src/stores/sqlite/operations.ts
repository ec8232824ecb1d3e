// oxlint-disable max-lines -- one table with a row for each operation
/**
 * The table of operations. The facade, the calls between the threads and their dispatch are derived from it. A new
 * method of a port needs a row here and an implementation; the compiler requires both.
 */
import { notesOfCancel } from '../../core/audit/audit-notes.js';
import type { Moment } from '../../core/time/clock.js';
import type {
  AdminStore,
  ApprovalStore,
  AuditStore,
  CanvasStore,
  ChannelStore,
  CredentialStore,
  CronStore,
  FrameStore,
  MediaStore,
  MemoryStore,
  NodeStore,
  QueueStore,
  SessionStore,
  SettingsStore,
  Store,
  TailscaleStore,
  TurnStore,
  UsageStore,
} from '../../core/store/index.js';
import {
  packNewMessage,
  packOutcome,
  unpackNewMessage,
  unpackOutcome,
  type PackedNewMessage,
  type PackedOutcome,
} from './accept-packing.js';
import {
  packClaims,
  packFinish,
  packHistoryRow,
  packJoin,
  packMessage,
  packWrite,
  unpackClaims,
  unpackFrames,
  unpackHistoryRow,
  unpackMessage,
  unpackWritten,
  type PackedClaims,
  type PackedFinish,
  type PackedJoin,
  type PackedWrite,
  type WrittenFrom,
} from './packing.js';
import { isDefined, last, packedRead, packedWrite, read, write, type Operation, type Row } from './operation-rows.js';
import { SweepBudget } from './sweep-budget.js';

export type { Change, Operation, Parts } from './operation-rows.js';

/** The ports whose methods are operations of the database. Their variants with callbacks call the same operations. */
export type Ports = Omit<QueueStore, 'acceptThen'> &
  Omit<TurnStore, 'finishThen'> &
  SessionStore &
  FrameStore &
  SettingsStore &
  TailscaleStore &
  AdminStore &
  ApprovalStore &
  AuditStore &
  CanvasStore &
  ChannelStore &
  CredentialStore &
  CronStore &
  MediaStore &
  MemoryStore &
  NodeStore &
  UsageStore &
  Pick<Store, 'check' | 'sweep'>;

const same = <A extends readonly unknown[]>(...all: A): A => all;

export const OPERATIONS: { readonly [N in keyof Ports]: Row<Ports[N]> } = {
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

  append: packedWrite<TurnStore['append'], PackedWrite, WrittenFrom>(
    {
      pack: packWrite,
      run: ({ turns }, messageRef, epoch, frames, journal) =>
        turns.append({ messageRef, epoch }, { frames: unpackFrames(frames, messageRef), journal }),
      unpack: (from, all) => unpackWritten(from, ...all),
    },
    { before: 'block.mid_batch' },
    isDefined,
  ),
  finish: packedWrite<TurnStore['finish'], PackedFinish, WrittenFrom>(
    {
      pack: packFinish,
      run: ({ turns, approvals, now }, messageRef, epoch, frames, journal, end) => {
        const [status, reply, expiredCalls = [], loggedBlocks] = end;
        const from = turns.finish(
          { messageRef, epoch },
          { frames: unpackFrames(frames, messageRef), journal },
          { status, reply },
          loggedBlocks,
        );
        if (from !== undefined) for (const callId of expiredCalls) approvals.expire(now, callId);
        return from;
      },
      unpack: (from, all) => unpackWritten(from, ...all),
    },
    { before: 'finish.before_commit', after: 'finish.after_commit' },
    isDefined,
  ),
  join: packedWrite<TurnStore['join'], PackedJoin, WrittenFrom | 'changed'>({
    pack: packJoin,
    run: ({ turns }, messageRef, epoch, frames, journal, ended) =>
      turns.join({ messageRef, epoch }, { frames: unpackFrames(frames, messageRef), journal }, ended),
    unpack: (from, all) => (from === 'changed' ? { kind: 'changed' } : unpackWritten(from, ...all)),
  }),
  listWaiting: packedRead({
    pack: same<Parameters<TurnStore['listWaiting']>>,
    run: ({ queue }, sessionId) => queue.listWaiting(sessionId).map(packMessage),
    unpack: (messages) => messages.map(unpackMessage),
  }),
  readTurn: read(({ turns }, messageRef) => turns.readTurn(messageRef)),
  readContext: packedRead({
    pack: same<Parameters<TurnStore['readContext']>>,
    run: ({ turns }, ...all) => turns.readContext(...all).map(packHistoryRow),
    unpack: (messages) => messages.map(unpackHistoryRow),
  }),

  findSession: read(({ sessions }, sessionId) => sessions.find(sessionId)),
  listParticipants: read(({ sessions }, sessionId) => sessions.listParticipants(sessionId)),
  isParticipant: read(({ sessions }, ...all) => sessions.isParticipant(...all)),
  findFounder: read(({ sessions }, sessionId) => sessions.findFounder(sessionId)),
  updateSession: write(({ sessions, now }, ...all) => sessions.update(now, ...all)),
  changeReaction: write(({ sessions }, ...all) => sessions.changeReaction(...all)),
  readHistory: packedRead({
    pack: same<Parameters<SessionStore['readHistory']>>,
    run: ({ sessions }, ...all) => {
      const { messages, ...page } = sessions.readHistory(...all);
      return { ...page, messages: messages.map(packHistoryRow) };
    },
    unpack: ({ messages, ...page }) => ({ ...page, messages: messages.map(unpackHistoryRow) }),
  }),

  readFrames: read(({ frames }, ...all) => frames.read(...all)),
  hasFrame: read(({ frames }, ...all) => frames.hasFrame(...all)),
  readHeads: read(({ frames }, sessionIds) => frames.readHeads(sessionIds)),
  moveCursor: write(({ frames }, ...all) => frames.moveCursor(...all)),
  listResumable: read(({ frames }, ...all) => frames.listResumable(...all)),
  noteFollower: write(({ frames, now }, client) => frames.noteFollower(now, client)),
  findPosition: read(({ frames }, ...all) => frames.findPosition(...all)),

  readSettings: read(({ settings }) => settings.read()),
  changeSettings: write(({ settings, now }, ...all) => settings.change(now, ...all), { before: 'config.mid' }),
  listSettingsVersions: read(({ settings }, ...all) => settings.listVersions(...all)),

  openApproval: write(({ approvals }, approval) => approvals.open(approval)),
  findApproval: read(({ approvals }, ...all) => approvals.find(...all)),
  listPendingApprovals: read(({ approvals }, tenant) => approvals.listPending(tenant)),
  decideApproval: write(({ approvals, now }, ...all) => approvals.decide(now, ...all)),

  listWaitingMessages: read(({ admin }, query) => admin.listWaitingMessages(query)),
  countActiveSessions: read(({ admin, now }, query) => admin.countActiveSessions(now, query)),
  findMessageLife: packedRead({
    pack: same<Parameters<AdminStore['findMessageLife']>>,
    run: ({ admin }, ...all) => {
      const life = admin.findMessageLife(...all);
      return life && { ...life, message: packHistoryRow(life.message) };
    },
    unpack: (life) => life && { ...life, message: unpackHistoryRow(life.message) },
  }),

  listApprovals: read(({ approvals }, query) => approvals.list(query)),
  listSessions: read(({ lists }, query) => lists.list(query)),
  listPeople: read(({ lists }, query) => lists.listPeople(query)),
  deleteSession: write(({ admin, now }, ...all) => admin.deleteSession(now, ...all)),
  readForward: packedRead({
    pack: same<Parameters<AdminStore['readForward']>>,
    run: ({ admin }, ...all) => admin.readForward(...all).map(packHistoryRow),
    unpack: (messages) => messages.map(unpackHistoryRow),
  }),
  readCurrentContext: packedRead({
    pack: same<Parameters<AdminStore['readCurrentContext']>>,
    run: ({ admin }, ...all) => admin.readCurrentContext(...all).map(packHistoryRow),
    unpack: (messages) => messages.map(unpackHistoryRow),
  }),
  erasePerson: write(({ erasure, now }, request) => erasure.erase(now, request)),

  sumUsage: read(({ usage }, ...all) => usage.sum(...all)),
  listSenderUsage: read(({ usage }, query) => usage.listSenders(query)),
  countQueuedSince: read(({ usage }, ...all) => usage.countQueuedSince(...all)),
  listTenants: read(({ usage }) => usage.listTenants()),

  recordAudit: write(({ audit, now }, note) => audit.add(now, note)),
  listAudit: read(({ audit }, query) => audit.list(query)),
  readAuditChain: read(({ audit }, ...all) => audit.readChain(...all)),
  eraseAuditPerson: write(({ audit, now }, ...all) => audit.erase(now, ...all)),
  readAuditHead: read(({ audit }) => audit.readHead()),

  takeAccount: write(({ channels, now }, ...all) => channels.take(now, ...all)),
  releaseAccount: write(({ channels }, lease) => channels.release(lease)),
  addInbox: write(({ channels }, ...all) => channels.addInbox(...all)),
  listChats: read(({ channels }, ...all) => channels.listChats(...all)),
  openGaps: write(({ channels }, ...all) => channels.openGaps(...all)),
  closeGap: write(({ channels }, ...all) => channels.closeGap(...all)),
  moveChat: write(({ channels }, ...all) => channels.moveChat(...all)),
  listMovedChats: read(({ channels }, channel) => channels.listMovedChats(channel)),
  joinSender: write(({ channels }, ...all) => channels.joinSender(...all)),
  listSenderAliases: read(({ channels }, channel) => channels.listSenderAliases(channel)),
  listInbox: read(({ channels }, channel) => channels.listInbox(channel)),
  listJoined: read(({ channels }, ...all) => channels.listJoined(...all)),
  keepReading: write(({ channels }, ...all) => channels.keepReading(...all)),
  settleInbox: write(({ channels, now }, ...all) => channels.settleInbox(now, ...all)),
  takesPart: read(({ channels }, ...all) => channels.takesPart(...all)),
  findPlace: read(({ channels }, ...all) => channels.findPlace(...all)),
  writePart: write(({ channels }, ...all) => channels.writePart(...all)),
  listParts: read(({ channels }, ...all) => channels.listParts(...all)),
  findReplyTo: read(({ channels }, ...all) => channels.findReplyTo(...all)),
  failPart: write(({ channels }, ...all) => channels.failPart(...all)),
  addNote: write(({ channels }, ...all) => channels.addNote(...all)),
  listHeldChats: read(({ channels, now }, channel) => channels.listHeldChats(now, channel)),
  listNotes: read(({ channels }, channel) => channels.listNotes(channel)),
  askPairing: write(({ channels, now }, ...all) => channels.askPairing(now, ...all)),
  listPairings: read(({ channels, now }, channel) => channels.listPairings(now, channel)),
  listDeadLetters: read(({ channels }, query) => channels.listDeadLetters(query)),
  countDeadLetters: read(({ channels }) => channels.countDeadLetters()),
  retryDeadLetter: write(({ channels, now }, ...all) => channels.retryDeadLetter(now, ...all)),
  discardDeadLetter: write(({ channels, now }, ...all) => channels.discardDeadLetter(now, ...all)),
  listAdmitted: read(({ channels }, ...all) => channels.listAdmitted(...all)),
  revokePairing: write(({ channels, now }, ...all) => channels.revokePairing(now, ...all)),
  approvePairing: write(({ channels, now }, ...all) => channels.approvePairing(now, ...all)),

  addToken: write(({ credentials, now }, ...all) => credentials.addToken(now, ...all)),
  findToken: read(({ credentials }, sha256) => credentials.findToken(sha256)),
  listTokens: read(({ credentials }, query) => credentials.listTokens(query)),
  listExpiringTokens: read(({ credentials, now }, ...all) => credentials.listExpiringTokens(now, ...all)),
  hasToken: read(({ credentials, now }, ...all) => credentials.hasToken(now, ...all)),
  removeToken: write(({ credentials, now }, ...all) => credentials.removeToken(now, ...all)),

  addSignIn: write(({ signIns, now }, ...all) => signIns.add(now, ...all)),
  findSignIn: read(({ signIns }, id) => signIns.find(id)),
  leaseSignIn: write(({ signIns, now }, ...all) => signIns.lease(now, ...all)),
  releaseSignIn: write(({ signIns }, id) => signIns.release(id)),
  renewSignIn: write(({ signIns }, signIn) => signIns.renew(signIn)),
  removeSignIns: write(({ signIns, now }, ...all) => signIns.remove(now, ...all)),

  addCronJob: write(({ cron, now }, ...all) => cron.add(now, ...all)),
  changeCronJob: write(({ cron, now }, ...all) => cron.change(now, ...all)),
  removeCronJob: write(({ cron, now }, ...all) => cron.remove(now, ...all)),
  stopCronJob: write(({ cron }, ...all) => cron.stop(...all)),
  findCronJob: read(({ cron }, jobId) => cron.find(jobId)),
  listCronJobs: read(({ cron }, query) => cron.list(query)),
  listDueCronJobs: read(({ cron }, ...all) => cron.listDue(...all)),
  listCronJobsAhead: read(({ cron }, ...all) => cron.listAhead(...all)),
  listCronJobsOn: read(({ cron }, ...all) => cron.listOnEvent(...all)),
  readCronAgenda: read(({ cron }) => cron.readAgenda()),
  openCronRuns: write(({ cron, now }, ...all) => cron.open(now, ...all), { after: 'cron.after_row' }),
  listOpenCronRuns: read(({ cron }, ...all) => cron.listOpen(...all)),
  noteCronRunAccepted: write(({ cron }, ...all) => cron.accept(...all)),
  moveCronJob: write(({ cron }, move) => cron.move(move)),
  listEndedCronRuns: read(({ cron, now }, ...all) => cron.listEnded(now, ...all)),
  retryCronRun: write(({ cron }, ...all) => cron.retry(...all)),
  endCronRun: write(({ cron }, ...all) => cron.end(...all)),
  noteCronRunReason: write(({ cron }, ...all) => cron.noteReason(...all)),
  listCronRuns: read(({ cron }, ...all) => cron.listRuns(...all)),

  addMedia: write(({ media }, ...all) => media.add(...all)),
  sumUploads: read(({ media }, ...all) => media.sum(...all)),
  listUnknownMedia: read(({ media }, mediaIds) => media.listUnknown(mediaIds)),
  findMedia: read(({ media }, ...all) => media.find(...all)),
  assignMedia: write(({ media }, ...all) => media.assign(...all)),
  listExpiredMedia: read(({ media }, unclaimedBefore) => media.listExpired(unclaimedBefore)),
  forgetMedia: write(({ media }, mediaIds) => media.forget(mediaIds)),

  saveSurface: write(({ canvas }, ...all) => canvas.save(...all)),
  findSurface: read(({ canvas }, ...all) => canvas.find(...all)),
  listSurfaces: read(({ canvas }, sessionId) => canvas.list(sessionId)),
  noteEntered: write(({ canvas }, ...all) => canvas.noteEntered(...all)),
  addCanvasAddress: write(({ canvas }, ...all) => canvas.addAddress(...all)),
  findCanvasAddress: read(({ canvas, now }, capabilityHash) => canvas.findAddress(now, capabilityHash)),

  saveMemory: write(({ memories }, ...all) => memories.save(...all)),
  searchMemories: read(({ memories }, query) => memories.search(query)),

  listTailscaleEntries: read(({ tailscale }) => tailscale.list()),
  keepTailscaleEntry: write(({ tailscale }, entry) => tailscale.keep(entry)),
  forgetTailscaleEntry: write(({ tailscale }, entry) => tailscale.forget(entry)),

  readGatewayId: read(({ nodes }) => nodes.readGatewayId()),
  addNodePairing: write(({ nodes, now }, ...all) => nodes.addPairing(now, ...all)),
  pairNode: write(({ nodes, now }, device) => nodes.pair(now, device)),
  findNode: read(({ nodes }, nodeId) => nodes.find(nodeId)),
  listNodes: read(({ nodes }, tenant) => nodes.list(tenant)),
  ensureTokenNode: write(({ nodes, now }, ...all) => nodes.ensureTokenNode(now, ...all)),
  updateNode: write(({ nodes, now }, ...all) => nodes.update(now, ...all)),
  revokeNode: write(({ nodes, now }, ...all) => nodes.revoke(now, ...all)),
  useNodeNonce: write(({ nodes }, ...all) => nodes.useNonce(...all)),
  noteNodesSeen: write(({ nodes, now }, nodeIds) => nodes.noteSeen(now, nodeIds)),
  registerNode: write(({ nodes, now }, ...all) => nodes.register(now, ...all)),
  listNodeCommands: read(({ nodes }, nodeId) => nodes.listCommands(nodeId)),
  allowNodeCommand: write(({ nodes, now }, ...all) => nodes.allowCommand(now, ...all)),
  openNodeCall: write(({ nodeTraffic, now }, call) => nodeTraffic.openCall(now, call), { after: 'node.wanted' }),
  findNodeCall: read(({ nodeTraffic }, callId) => nodeTraffic.findCall(callId)),
  markNodeCallSent: write(({ nodeTraffic }, callId) => nodeTraffic.markSent(callId), { after: 'node.sent' }),
  endNodeCall: write(({ nodeTraffic }, ...all) => nodeTraffic.endCall(...all), {
    before: 'node.before_result',
    after: 'node.after_result',
  }),
  addNodeEvent: write(({ nodeTraffic }, event) => nodeTraffic.addEvent(event)),
  settleNodeEvent: write(({ nodeTraffic }, ...all) => nodeTraffic.settleEvent(...all)),
  listUnsettledNodeEvents: read(({ nodeTraffic }, limit) => nodeTraffic.listUnsettled(limit)),
  listNodeEvents: read(({ nodeTraffic }, query) => nodeTraffic.listEvents(query)),

  sweep: write(
    (
      {
        sweeper,
        admin,
        approvals,
        canvas,
        channels,
        credentials,
        cron,
        nodes,
        nodeTraffic,
        signIns,
        usage,
        audit,
        now,
      },
      limits,
    ) => {
      const budget = new SweepBudget();
      return (
        sweeper.sweep(now, limits, budget) ||
        approvals.sweep(limits.approvalsBefore, budget) ||
        canvas.sweep(now, budget) ||
        admin.sweep(limits.dedupeBefore, budget) ||
        channels.sweep(limits, budget) ||
        credentials.sweep(now, budget) ||
        signIns.sweep(now, budget) ||
        cron.sweep(now, budget, (sessionId) => sweeper.end(sessionId, budget)) ||
        nodes.sweep(now, budget) ||
        nodeTraffic.sweep(now, limits, budget) ||
        usage.sweep(now, budget) ||
        audit.sweep(now, limits.auditBefore, budget)
      );
    },
  ),
  check: packedWrite<Store['check'], [], boolean>(
    { pack: same, run: ({ heartbeat, now }) => heartbeat.check(now), unpack: () => {} },
    {},
    (hasWritten) => hasWritten,
  ),
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
