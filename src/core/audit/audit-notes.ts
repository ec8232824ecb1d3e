import {
  ALL_TENANTS,
  type Approval,
  type ApprovalDecision,
  type AuditHead,
  type AuditNote,
  type Session,
  type SessionChange,
  type SettingsChange,
} from '../store/index.js';

/** Builds the note of a change of settings. */
export function noteOfSettings({ actor, before, after }: SettingsChange): AuditNote {
  return { tenant: ALL_TENANTS, actor, action: 'settings.change', target: 'settings', before, after };
}

/** Builds the note of a decision on a tool call. It has the hash of the arguments, which may be secret themselves. */
export function noteOfDecision(approval: Approval, decision: ApprovalDecision, actor: string): AuditNote {
  const { tenant, approvalId, tool, argumentsSha256 } = approval;
  const after = JSON.stringify({ approval_id: approvalId, tool, arguments_sha256: argumentsSha256, decision });
  return { tenant, actor, action: 'approval.decide', target: approvalId, before: 'null', after };
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
  const after = JSON.stringify({ sender });
  return { tenant: ALL_TENANTS, actor, action: 'channel.pair', target: channel, before: 'null', after };
}

/** Builds the note of a sender who was put out of a channel, or whose request was discarded. */
export function noteOfRevocation(channel: string, sender: string, actor: string): AuditNote {
  const before = JSON.stringify({ sender });
  return { tenant: ALL_TENANTS, actor, action: 'channel.unpair', target: channel, before, after: 'null' };
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

/** Builds the note of a change of a cron job. The text of a job may be private, so it is left out. */
export function noteOfCronJob(
  verb: 'add' | 'change' | 'remove' | 'run',
  { tenant, jobId }: { readonly tenant: string; readonly jobId: string },
  actor: string,
  change: { readonly before?: object | undefined; readonly after?: object | undefined },
): AuditNote {
  const describe = (state: object | undefined) =>
    state === undefined ? 'null' : JSON.stringify({ ...state, message: undefined });
  const { before, after } = change;
  return { tenant, actor, action: `cron.${verb}`, target: jobId, before: describe(before), after: describe(after) };
}

/** The action of {@link noteOfSweep}. */
export const SWEEP_ACTION = 'audit.sweep';

/**
 * Builds the note of the deletion of the oldest rows, up to the one of `last`. It stays the anchor of the chain: the rows
 * that are left begin after `last`.
 */
export function noteOfSweep({ sequence, hash }: AuditHead): AuditNote {
  const after = JSON.stringify({ sequence, hash });
  return { tenant: ALL_TENANTS, actor: 'gateway', action: SWEEP_ACTION, target: 'audit', before: 'null', after };
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
