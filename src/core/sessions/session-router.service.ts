import { Injectable } from '@nestjs/common';
import { GatewayError, type MessageInPayload } from '../../protocol/domain.js';
import type { AgentDefinition } from '../agents/agent-definition.js';
import { AgentsService } from '../agents/agents.service.js';
import { decidesApprovals, type Principal } from '../identity/principal.js';
import { SessionStore, type MessageRuling, type Priority, type Session, type SessionSeed } from '../store/index.js';
import { checkVoice, isWithinReach, keepTrustedFlags } from './access.js';
import { mentionsAgent, parseCommand, type Command } from './activation.js';
import { QUESTION_CHANNEL } from './question-channel.js';
import { buildSessionSeed } from './session-key.js';

const APPROVAL_ID = /^a_[\w-]{1,64}$/;

/** The result of routing a message. Routing writes nothing. */
export interface Route {
  readonly session: SessionSeed;
  /** True if the session was named by its id. */
  readonly namesSession: boolean;
  /** False for a group message that does not address the agent: it is answered only if the session is activated. */
  readonly isAddressed: boolean;
  readonly priority: Priority;
  /** The payload with only those flags that the sender's credential is trusted with. */
  readonly payload: MessageInPayload;
  /** The decision on a tool call that the message is. */
  readonly ruling?: MessageRuling | undefined;
}

/** Decides which session a message belongs to, and whether the agent answers it. */
@Injectable()
export class SessionRouterService {
  constructor(
    private readonly sessions: SessionStore,
    private readonly agents: AgentsService,
  ) {}

  /**
   * Routes a message. Returns a promise only if the session has to be looked up: for a session named by id, and for role
   * `user` outside its main session.
   * @throws GatewayError FORBIDDEN, NOT_FOUND, INVALID_PAYLOAD
   */
  route(principal: Principal, received: MessageInPayload, sessionId: string | undefined): Route | Promise<Route> {
    checkVoice(principal, received.channel, received.sender);
    checkContent(received);
    const payload = keepTrustedFlags(principal, received);
    if (sessionId !== undefined) return this.routeToSession(principal, payload, sessionId);

    const { tenant } = principal;
    const { channel, sender, group_id, thread_id, queue } = payload;
    const message = { tenant, principal: principal.principal, channel, sender, group_id, thread_id, queue };
    const agent = this.agents.choose(message);
    const session = buildSessionSeed(tenant, payload, agent.id);
    const mustTakePart = principal.role === 'user' && session.mode !== 'main';
    const route = { session, namesSession: false, payload, ...address(principal, session, payload, agent.name) };
    if (!mustTakePart) return route;
    return this.isReadable(principal, session.id).then((isReadable) => {
      if (!isReadable) throw new GatewayError('NOT_FOUND', { what: 'session' });
      return route;
    });
  }

  /** Returns a session that this caller may read. @throws GatewayError NOT_FOUND */
  async getReadable(principal: Principal, sessionId: string): Promise<Session> {
    const session = await this.findReadable(principal, sessionId);
    if (!session) throw new GatewayError('NOT_FOUND', { what: `session ${sessionId}` });
    return session;
  }

  /**
   * Returns a session whose history this caller may see: one that it may read, or that an agent was asked in from there.
   * @throws GatewayError NOT_FOUND
   */
  async getVisible(principal: Principal, sessionId: string): Promise<Session> {
    const session = await this.sessions.findSession(sessionId);
    const isAsked = session?.channel === QUESTION_CHANNEL && session.tenant === principal.tenant;
    const [asker] = isAsked ? session.keyParts : [];
    if (!session || asker === undefined || (await this.isReadable(principal, sessionId)))
      return this.getReadable(principal, sessionId);
    await this.getVisible(principal, asker);
    return session;
  }

  /** Finds the main session of a sender on a channel with an agent. */
  async findMain(
    tenant: string,
    message: Pick<MessageInPayload, 'channel' | 'sender'>,
    agent: AgentDefinition,
  ): Promise<Session | undefined> {
    const session = await this.sessions.findSession(buildSessionSeed(tenant, message, agent.id).id);
    return session?.mode === 'main' ? session : undefined;
  }

  /** Returns whether `principal` may read a session, which need not exist. */
  async isReadable(principal: Principal, sessionId: string): Promise<boolean> {
    return (await this.findReadable(principal, sessionId)) !== undefined;
  }

  /** A session that the caller may not read is treated as nonexistent: role `user` must have taken part in it. */
  private async findReadable(principal: Principal, sessionId: string): Promise<Session | undefined> {
    const session = await this.sessions.findSession(sessionId);
    if (!session || !isWithinReach(principal, session)) return undefined;
    const mustTakePart = principal.role === 'user';
    if (mustTakePart && !(await this.sessions.isParticipant(sessionId, principal.sender ?? ''))) return undefined;
    return session;
  }

  private async routeToSession(principal: Principal, payload: MessageInPayload, sessionId: string): Promise<Route> {
    const session = await this.getReadable(principal, sessionId);
    if (session.channel !== payload.channel) {
      throw new GatewayError('INVALID_PAYLOAD', {
        faults: [{ pointer: '/channel', message: `must be the channel of the session, "${session.channel}"` }],
      });
    }
    // A message to a removed agent does not go to another one.
    const name = this.agents.findFor(session.tenant, session.agent)?.name;
    return { session, namesSession: true, payload, ...address(principal, session, payload, name) };
  }
}

/**
 * Returns whether a message addresses the agent of its session, and how urgent it is. A mention in the text counts as a
 * direct mention, even from a user, unless a channel says whether there is one. @param name the agent's; undefined for one
 * that was removed
 */
function address(
  principal: Principal,
  { mode }: SessionSeed,
  payload: MessageInPayload,
  name: string | undefined,
): Pick<Route, 'isAddressed' | 'priority' | 'ruling'> {
  const { role } = principal;
  const { content, is_direct_mention, is_reply_to_agent, observe } = payload;
  if (observe) return { isAddressed: false, priority: 1 };
  const isDecided = is_direct_mention || (role === 'channel' && is_direct_mention === false);
  const isMentioned = isDecided ? is_direct_mention : name !== undefined && mentionsAgent(content, name);
  const priority = isMentioned ? 10 : is_reply_to_agent ? 5 : 1;
  const command = name === undefined ? undefined : parseCommand(content, name);
  const ruling = command && readRuling(command, principal, payload);
  return {
    isAddressed: mode !== 'group' || priority > 1 || command !== undefined,
    priority,
    ...(ruling && { ruling }),
  };
}

/** Returns the decision that a command is: `/approve ID` or `/deny ID`. */
function readRuling(
  { name, argument }: Command,
  principal: Principal,
  { channel, sender, sender_name: senderName, sender_is_admin: isAdmin }: MessageInPayload,
): MessageRuling | undefined {
  if ((name !== 'approve' && name !== 'deny') || !APPROVAL_ID.test(argument)) return undefined;
  const isChannel = principal.role === 'channel';
  const may = !isChannel && !decidesApprovals(principal) ? 'never' : isAdmin ? 'always' : 'own';
  return {
    approvalId: argument,
    decision: name === 'approve' ? 'allow' : 'deny',
    may,
    decidedBy: senderName ?? (isChannel ? sender : principal.principal),
    actor: principal.principal,
    ...(isChannel && { person: { tenant: principal.tenant, channel, sender } }),
  };
}

function checkContent(payload: MessageInPayload): void {
  if (payload.content === '' && !payload.attachments?.length) {
    throw new GatewayError('INVALID_PAYLOAD', {
      faults: [{ pointer: '/content', message: 'may be empty only when there are attachments' }],
    });
  }
}
