import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { GatewayError, type NodeCommand, type NodeRegisterPayload } from '../../protocol/domain.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { toOneLine } from '../config/secrets.js';
import type { Connection } from '../connections/connection.js';
import { RateBuckets } from '../limits/rate-buckets.js';
import { NodeStore, type NodeCommandRecord, type NodeRecord } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import { ForeignTools } from '../tools/foreign-tools.js';
import {
  DEFAULT_TIMEOUT_MS,
  encodeDefinition,
  MAX_COMMANDS,
  MAX_KNOWN_COMMANDS,
  refuseCommand,
} from './command-rules.js';
import { NODE_ID } from './node-id.js';
import { NodeLinksService } from './node-links.service.js';
import { NodeToolsService } from './node-tools.service.js';

/** Registrations of one node per minute: each vets all its schemas. */
const MAX_REGISTRATIONS_PER_MINUTE = 30;

/** Maximum number of nodes of a tenant that connect with tokens: a token may name any number. */
const MAX_TOKEN_NODES = 1_000;

const MAX_REASON_LENGTH = 500;

interface Refused {
  readonly name: string;
  readonly reason: string;
}

/** Takes what a node says that it offers. All of it is a claim, which is vetted command by command. */
@Injectable()
export class NodeRegistrationService {
  private readonly rates: RateBuckets;
  private readonly log: Log;

  // oxlint-disable-next-line max-params -- what a registration needs, each from its own service
  constructor(
    private readonly store: NodeStore,
    private readonly links: NodeLinksService,
    private readonly tools: NodeToolsService,
    private readonly foreign: ForeignTools,
    private readonly config: ConfigStoreService,
    clock: Clock,
    logs: Logs,
  ) {
    this.rates = new RateBuckets(clock);
    this.log = logs.for('gateway');
  }

  /** @throws GatewayError FORBIDDEN, RATE_LIMITED, STORE_UNAVAILABLE */
  async register(connection: Connection, requestId: string, payload: NodeRegisterPayload): Promise<void> {
    const { node_id: nodeId, commands, platform, version } = payload;
    const node = await this.findNode(connection, nodeId);
    const retryAfterMs = this.rates.take(nodeId, MAX_REGISTRATIONS_PER_MINUTE);
    if (retryAfterMs > 0)
      throw new GatewayError('RATE_LIMITED', { limit: 'node_register per minute' }, { retryAfterMs });
    const { sound, refused } = await this.vet(node, commands);
    const known = await this.store.registerNode(nodeId, {
      commands: sound.map((command) => ({ name: command.name, definition: encodeDefinition(command) })),
      platform,
      version,
      allowsChanges: this.config.get('nodes.auto_allow'),
      maxKnown: MAX_KNOWN_COMMANDS,
    });
    await this.tools.show(node, known);
    if (!this.links.attach(nodeId, connection, commands)) return;
    const places = sortOut(sound, known);
    const timeouts = this.listCuts(sound);
    const count = places.accepted.length;
    this.log.info({ node: nodeId, commands: count, waiting: places.waiting.length }, 'a node has registered');
    connection.send({
      ...{ kind: 'node', what: 'registered', requestId, timeouts },
      ...{ accepted: places.accepted, waiting: places.waiting, refused: [...refused, ...places.refused] },
    });
  }

  /** Applies a change of what a node may offer, or of what an operator has allowed. */
  async refresh(node: NodeRecord): Promise<void> {
    const link = this.links.find(node.nodeId);
    if (!link) return this.tools.show(node, await this.store.listNodeCommands(node.nodeId));
    const { sound } = await this.vet(node, link.offered);
    const known = await this.store.registerNode(node.nodeId, {
      commands: sound.map((command) => ({ name: command.name, definition: encodeDefinition(command) })),
      allowsChanges: this.config.get('nodes.auto_allow'),
      maxKnown: MAX_KNOWN_COMMANDS,
    });
    await this.tools.show(node, known);
  }

  private async findNode({ clientId, principal }: Connection, nodeId: string): Promise<NodeRecord> {
    if (!NODE_ID.test(clientId))
      throw new GatewayError('FORBIDDEN', {
        reason: `a node connects with a client_id that matches ${NODE_ID.source}`,
      });
    if (nodeId !== clientId) throw new GatewayError('FORBIDDEN', { reason: `this connection is the node ${clientId}` });
    const isPaired = principal.clientId !== undefined;
    const node = isPaired
      ? await this.store.findNode(nodeId)
      : await this.store.ensureTokenNode(principal.tenant, nodeId, MAX_TOKEN_NODES);
    if (node === 'full')
      throw new GatewayError('FORBIDDEN', {
        reason: `there are ${MAX_TOKEN_NODES} nodes with tokens, which is the limit`,
      });
    if (!node || node === 'taken' || node.revokedAt !== undefined)
      throw new GatewayError('FORBIDDEN', { reason: `the ID ${nodeId} is not available to this credential` });
    return node;
  }

  private async vet(node: NodeRecord, commands: readonly NodeCommand[]) {
    const sound = new Map<string, NodeCommand>();
    const refused: Refused[] = [];
    for (const command of commands) {
      const reason = await this.findFault(node, command, sound);
      if (reason === undefined) sound.set(command.name, command);
      else refused.push({ name: command.name, reason });
      // Yields to other work between schemas, whose checks take time.
      await setImmediate();
    }
    return { sound: [...sound.values()], refused };
  }

  private async findFault(
    node: NodeRecord,
    command: NodeCommand,
    sound: ReadonlyMap<string, NodeCommand>,
  ): Promise<string | undefined> {
    if (sound.has(command.name)) return 'another command has this name';
    if (sound.size >= MAX_COMMANDS) return `a node offers at most ${MAX_COMMANDS} commands`;
    const refusal = refuseCommand(node, command);
    if (refusal !== undefined) return refusal;
    try {
      await this.foreign.vet(command.description, command.parameters);
      return undefined;
    } catch (error) {
      return toOneLine((error as Error).message, MAX_REASON_LENGTH);
    }
  }

  private listCuts(commands: readonly NodeCommand[]): Record<string, number> {
    const cuts = commands.flatMap(({ name, timeout_ms: wanted = DEFAULT_TIMEOUT_MS }): [string, number][] => {
      const given = this.tools.limitTimeout(wanted);
      return given < wanted ? [[name, given]] : [];
    });
    return Object.fromEntries(cuts);
  }
}

function sortOut(sound: readonly NodeCommand[], known: readonly NodeCommandRecord[]) {
  const accepted: string[] = [];
  const waiting: string[] = [];
  const refused: Refused[] = [];
  const byName = new Map(known.map((command) => [command.name, command]));
  for (const { name } of sound) {
    const command = byName.get(name);
    if (!command) refused.push({ name, reason: `${MAX_KNOWN_COMMANDS} other commands of this node are known` });
    else if (command.pending === undefined) accepted.push(name);
    else waiting.push(name);
  }
  return { accepted, waiting, refused };
}
