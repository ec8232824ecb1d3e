import {
  ALL_TENANTS,
  type Approval,
  type ApprovalDecision,
  type AuditHead,
  type AuditNote,
  type AuditPerson,
  type CancelOutcome,
  type CancelSelector,
  type ErasedCounts,
  type Session,
  type SessionChange,
  type SettingsChange,
  type SignInRecord,
  type TokenRecord,
} from '../store/index.js';

export function noteOfSettings({ actor, before, after }: SettingsChange): AuditNote {
  return { tenant: ALL_TENANTS, actor, action: 'settings.change', target: 'settings', before, after };
}

/** Builds the note of a stop of a replica that an operator has asked for. */
export function noteOfDrain(replica: string, actor: string): AuditNote {
  return { tenant: ALL_TENANTS, actor, action: 'gateway.drain', target: replica, before: 'null', after: 'true' };
}

/** Builds the notes of messages that an operator has cancelled. */
export function notesOfCancel(selector: CancelSelector, outcome: CancelOutcome, actor: string): readonly AuditNote[] {
  const { tenant } = selector.by === 'id' ? selector.client : selector;
  return [...outcome.ended, ...outcome.running].map(({ sessionId, messageRef }) => {
    const before = JSON.stringify({ session_id: sessionId });
    return { tenant, actor, action: 'message.cancel', target: messageRef, before, after: 'null' };
  });
}

/** Builds the note of a session that an operator has deleted. */
export function noteOfDeletedSession(tenant: string, sessionId: string, actor: string): AuditNote {
  return { tenant, actor, action: 'session.delete', target: sessionId, before: '{}', after: 'null' };
}

/** Builds the note of a failed message that an operator has sent again. */
export function noteOfRetry(tenant: string, messageRef: string, retriedAs: string, actor: string): AuditNote {
  const after = JSON.stringify({ message_ref: retriedAs });
  return { tenant, actor, action: 'message.retry', target: messageRef, before: 'null', after };
}

/** Builds the note of a connection that an operator has closed. */
export function noteOfClosedConnection(
  connection: {
    readonly id: string;
    readonly clientId: string;
    readonly principal: { readonly tenant: string; readonly principal: string };
  },
  actor: string,
  reason?: string,
): AuditNote {
  const { id, principal, clientId } = connection;
  const before = JSON.stringify({ principal: principal.principal, client_id: clientId });
  const after = JSON.stringify({ closed: true, ...(reason !== undefined && { reason }) });
  return { tenant: principal.tenant, actor, action: 'connection.close', target: id, before, after };
}

/** The tenant of people on the channels of this gateway. */
const TENANT_OF_CHANNELS = 'default';

/**
 * Builds the note of a decision on a tool call. It has the hash of the arguments, which may be secret themselves.
 * @param person who decided, if it was a person of a channel
 */
export function noteOfDecision(
  approval: Approval,
  decision: ApprovalDecision,
  actor: string,
  person?: AuditPerson,
): AuditNote {
  const { tenant, approvalId, tool, argumentsSha256 } = approval;
  const after = JSON.stringify({ approval_id: approvalId, tool, arguments_sha256: argumentsSha256, decision });
  return { tenant, actor, action: 'approval.decide', target: approvalId, before: 'null', after, person };
}

/** Builds the note of a tool call with side effects. It has a hash of the arguments, which may be secret themselves. */
export function noteOfCall(call: {
  readonly session: Pick<Session, 'id' | 'tenant'>;
  readonly actor: string;
  readonly tool: string;
  readonly callId: string;
  readonly argumentsSha256: string;
}): AuditNote {
  const { session, actor, tool, callId, argumentsSha256 } = call;
  const after = JSON.stringify({ session_id: session.id, call_id: callId, arguments_sha256: argumentsSha256 });
  return { tenant: session.tenant, actor, action: 'tool.call', target: tool, before: 'null', after };
}

/** Builds the note of a sender who was let into a channel. */
export function noteOfPairing(channel: string, sender: string, actor: string): AuditNote {
  return noteOfAdmission('channel.pair', channel, sender, actor);
}

/** Builds the note of a sender who was put out of a channel, or whose request was discarded. */
export function noteOfRevocation(channel: string, sender: string, actor: string): AuditNote {
  return noteOfAdmission('channel.unpair', channel, sender, actor);
}

function noteOfAdmission(
  action: 'channel.pair' | 'channel.unpair',
  channel: string,
  sender: string,
  actor: string,
): AuditNote {
  const isAdmitted = action === 'channel.pair';
  return {
    tenant: ALL_TENANTS,
    actor,
    action,
    target: channel,
    before: String(!isAdmitted),
    after: String(isAdmitted),
    person: { tenant: TENANT_OF_CHANNELS, channel, sender },
  };
}

/** Builds the note of a dead letter that an operator has sent again (`retry`) or deleted (`discard`). */
export function noteOfDeadLetter(
  { id, channel, replyTo }: { readonly id: number; readonly channel: string; readonly replyTo: string },
  verb: 'retry' | 'discard',
  actor: string,
): AuditNote {
  const before = JSON.stringify({ channel, reply_to: replyTo });
  return { tenant: ALL_TENANTS, actor, action: `dead_letter.${verb}`, target: String(id), before, after: 'null' };
}

/** Builds the note of a change of a device node: its invitation, its pairing, what it may do, its end. */
export function noteOfNode(change: {
  readonly tenant: string;
  readonly actor: string;
  readonly action: `node.${string}`;
  readonly nodeId: string;
  readonly before?: object;
  readonly after?: object;
}): AuditNote {
  const { tenant, actor, action, nodeId, before = null, after = null } = change;
  return { tenant, actor, action, target: nodeId, before: JSON.stringify(before), after: JSON.stringify(after) };
}

/** The state of a cron job in the trail: its definition without what is private. */
interface JobState {
  readonly message?: unknown;
  readonly target?: object;
}

/**
 * Builds the note of a change of a cron job. The text of a job may be private, so it is left out; the person to whom it
 * speaks is named by `person`.
 */
export function noteOfCronJob(
  verb: 'add' | 'change' | 'remove' | 'run',
  { tenant, jobId }: { readonly tenant: string; readonly jobId: string },
  actor: string,
  change: { readonly before?: JobState | undefined; readonly after?: JobState | undefined },
): AuditNote {
  const { before, after } = change;
  const person = findPerson(tenant, after?.target ?? before?.target);
  return {
    tenant,
    actor,
    action: `cron.${verb}`,
    target: jobId,
    before: describeJob(before),
    after: describeJob(after),
    ...(person && { person }),
  };
}

function describeJob(state: JobState | undefined): string {
  return state === undefined
    ? 'null'
    : JSON.stringify(state, (key, value: unknown) => (isPrivate(key) ? undefined : value));
}

const isPrivate = (key: string) => key === 'message' || key === 'sender';

/** Returns the person to whom a job speaks, in its own chat or where it delivers. */
function findPerson(tenant: string, target: object | undefined): AuditPerson | undefined {
  if (target === undefined) return undefined;
  const { channel, sender, deliver_to: chat } = target as { channel?: string; sender?: string; deliver_to?: object };
  return channel !== undefined && sender !== undefined ? { tenant, channel, sender } : findPerson(tenant, chat);
}

/** Builds the note of the end of a sign-in. */
export function noteOfSignOut({ tenant, principal }: SignInRecord, actor: string): AuditNote {
  const before = JSON.stringify({ principal });
  return { tenant, actor, action: 'auth.sign_out', target: principal, before, after: 'null' };
}

/** Builds the note of a token that was made or revoked, without its secret. */
export function noteOfToken(verb: 'create' | 'revoke', token: TokenRecord, actor: string): AuditNote {
  const { id, tenant, principal, role, scopes, channels, expiresAt } = token;
  const state = JSON.stringify({ principal, role, scopes, channels, expires_at: expiresAt });
  const [before, after] = verb === 'create' ? ['null', state] : [state, 'null'];
  return { tenant, actor, action: `token.${verb}`, target: id, before, after };
}

/** The action of {@link noteOfRetention}. */
export const RETENTION_ACTION = 'audit.retention';

/**
 * Builds the note of the deletion of the oldest rows, up to the one of `last`. It stays the anchor of the chain: the rows
 * that are left begin after `last`.
 */
export function noteOfRetention({ sequence, hash }: AuditHead): AuditNote {
  const after = JSON.stringify({ cut_entry: sequence, cut_hash: hash });
  return { tenant: ALL_TENANTS, actor: 'gateway', action: RETENTION_ACTION, target: 'audit', before: 'null', after };
}

/** Builds the note of the erasure of a person, who has the ID `subject` in earlier rows. @param erased what was erased besides the name in the trail */
export function noteOfErasure(
  { tenant, channel }: AuditPerson,
  subject: string,
  actor: string,
  erased?: ErasedCounts,
): AuditNote {
  const before = JSON.stringify({ channel });
  const after = erased ? JSON.stringify({ erased }) : 'null';
  return { tenant, actor, action: 'person.erase', target: subject, before, after };
}

/** Builds the note of an export of the trail, with what selected its rows. */
export function noteOfExport(by: { readonly tenant: string; readonly principal: string }, filters: object): AuditNote {
  const after = JSON.stringify(filters);
  return { tenant: by.tenant, actor: by.principal, action: 'audit.export', target: 'audit', before: 'null', after };
}

/** Builds the note of a backup, which has everything that is stored. */
export function noteOfBackup(by: { readonly principal: string }): AuditNote {
  return {
    tenant: ALL_TENANTS,
    actor: by.principal,
    action: 'backup.create',
    target: 'store',
    before: 'null',
    after: 'null',
  };
}

/** The action of {@link noteOfCompletedBackup}. */
export const COMPLETED_BACKUP = 'backup.complete';

/** Builds the note of a backup whose last byte was sent. */
export function noteOfCompletedBackup(by: { readonly principal: string }): AuditNote {
  return { ...noteOfBackup(by), action: COMPLETED_BACKUP };
}

/** Builds the note of failed authentications from an address within a minute, after the first. */
export function noteOfFailures(count: number, address: string, credential: string): AuditNote {
  const after = JSON.stringify({ credential, count });
  return { tenant: ALL_TENANTS, actor: 'anonymous', action: 'auth.failures', target: address, before: 'null', after };
}

/** Builds the note of an authentication. @param reason why it has failed, without secrets */
export function noteOfAuthentication(
  action: 'auth.success' | 'auth.failure' | 'auth.sign_in',
  { tenant, principal }: { readonly tenant: string; readonly principal: string },
  address: string,
  credential: string,
  reason?: string,
): AuditNote {
  const after = JSON.stringify({ credential, reason });
  return { tenant, actor: principal, action, target: address, before: 'null', after };
}

/** Builds the note of a change of a session, with the fields that the change names, before and after. */
export function noteOfSession(before: Session, after: Session, change: SessionChange, actor: string): AuditNote {
  const names = Object.keys(change).filter((name) => name !== 'resetContext') as (keyof Session &
    keyof SessionChange)[];
  const describe = (session: Session) => Object.fromEntries(names.map((name) => [name, session[name]]));
  const reset = change.resetContext && { resetContext: true };
  return {
    tenant: before.tenant,
    actor,
    action: 'session.update',
    target: before.id,
    before: JSON.stringify(describe(before)),
    after: JSON.stringify({ ...describe(after), ...reset }),
  };
}
