import { randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import type { Principal } from '../identity/principal.js';
import {
  isInScope,
  NodeStore,
  type NodeChange,
  type NodeCommandRecord,
  type NodePairingOutcome,
  type NodeRecord,
} from '../store/index.js';
import { Clock } from '../time/clock.js';
import { NodeJobsService, type NodeJob } from './node-jobs.service.js';
import { NodeLinksService } from './node-links.service.js';
import { NodeRegistrationService } from './node-registration.service.js';
import { NodeToolsService } from './node-tools.service.js';
import { hashDefinition } from './command-rules.js';
import { CODE_LIFETIME_MS, hashPairingCode, makePairingCode } from './pairing-code.js';

/** Maximum number of codes of a tenant that wait for their device. */
const MAX_OPEN_CODES = 20;

const RANDOM_LENGTH = 4;
const RANDOM_BASE = 36;

/** The device that an operator makes a code for. */
export interface Invitation {
  readonly name?: string | undefined;
  readonly allow?: readonly string[] | undefined;
  readonly replace?: string | undefined;
}

/** A code, shown once. */
export interface PairingCode {
  readonly code: string;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/** The request of a device that shows its code. */
export interface Device {
  readonly code: string;
  readonly name: string;
  readonly platform?: string | undefined;
  readonly publicKey: string;
}

/** A node as operators see it. */
export interface NodeView {
  readonly node: NodeRecord;
  /** `away`, `connected`, or `hidden`: its page is not in front. */
  readonly state: 'away' | 'connected' | 'hidden';
  /** Since when it is connected, in Unix milliseconds. */
  readonly since?: number;
  readonly isContested: boolean;
  readonly commands: readonly NodeCommandRecord[];
  /** The jobs that its events start, of those that name it. */
  readonly jobs: readonly NodeJob[];
}

/** Lets devices in, and lets operators see and change what they may do. */
@Injectable()
export class NodesService {
  constructor(
    private readonly store: NodeStore,
    private readonly links: NodeLinksService,
    private readonly registration: NodeRegistrationService,
    private readonly tools: NodeToolsService,
    private readonly jobs: NodeJobsService,
    private readonly clock: Clock,
  ) {}

  /** Makes a code. @throws GatewayError RATE_LIMITED if too many wait, NOT_FOUND for the node to replace */
  async invite({ tenant, principal }: Principal, { name, allow, replace }: Invitation): Promise<PairingCode> {
    if (replace !== undefined) {
      const replaced = await this.store.findNode(replace);
      if (replaced?.tenant !== tenant || replaced.publicKey === undefined) throw notFound(replace);
    }
    const code = makePairingCode();
    const expiresAt = this.clock.now() + CODE_LIFETIME_MS;
    const pairing = { codeHash: hashPairingCode(code), tenant, name, allow, replace, expiresAt };
    if (!(await this.store.addNodePairing(pairing, MAX_OPEN_CODES, principal)))
      throw new GatewayError('RATE_LIMITED', { limit: `${MAX_OPEN_CODES} pairing codes that wait` });
    return { code, expiresAt };
  }

  /** Lets a device in. A node that it replaces is disconnected. */
  async pair({ code, name, platform, publicKey }: Device): Promise<NodePairingOutcome> {
    const random = randomInt(RANDOM_BASE ** (RANDOM_LENGTH - 1), RANDOM_BASE ** RANDOM_LENGTH).toString(RANDOM_BASE);
    const outcome = await this.store.pairNode({ codeHash: hashPairingCode(code), name, platform, publicKey, random });
    if (outcome.kind === 'paired') this.links.close(outcome.node.tenant, outcome.node.nodeId, 'revoked');
    return outcome;
  }

  /** @param tenant or `ALL_TENANTS` */
  async list(tenant: string): Promise<readonly NodeView[]> {
    const nodes = await this.store.listNodes(tenant);
    const jobs = new Map<string, ReadonlyMap<string, readonly NodeJob[]>>();
    for (const of of new Set(nodes.map((node) => node.tenant))) jobs.set(of, await this.jobs.listByNode(of));
    return Promise.all(nodes.map((node) => this.view(node, jobs.get(node.tenant))));
  }

  /** @throws GatewayError NOT_FOUND */
  async change(caller: Principal, nodeId: string, change: NodeChange): Promise<NodeView> {
    const { tenant } = await this.getNode(caller, nodeId);
    const node = await this.store.updateNode(tenant, nodeId, change, caller.principal);
    if (!node) throw notFound(nodeId);
    await this.registration.refresh(node);
    return this.view(node);
  }

  /** Ends a node: its connection, its tools and its key. @throws GatewayError NOT_FOUND */
  async revoke(caller: Principal, nodeId: string): Promise<void> {
    const { tenant } = await this.getNode(caller, nodeId);
    if (!(await this.store.revokeNode(tenant, nodeId, caller.principal))) throw notFound(nodeId);
    this.tools.remove(nodeId);
    this.links.close(tenant, nodeId, 'revoked');
  }

  /**
   * Puts the changed form of a command in force. Resolves with `changed` if another form waits than the one that was read.
   * @param sha256 of the form that was read; undefined: whichever waits
   * @throws GatewayError NOT_FOUND
   */
  async allowCommand(caller: Principal, nodeId: string, name: string, sha256?: string): Promise<NodeView | 'changed'> {
    const node = await this.getNode(caller, nodeId);
    const commands = await this.store.listNodeCommands(nodeId);
    const pending = commands.find((command) => command.name === name)?.pending;
    if (pending === undefined)
      throw new GatewayError('NOT_FOUND', { what: `a changed command ${name} of the node ${nodeId}` });
    if (sha256 !== undefined && hashDefinition(pending) !== sha256) return 'changed';
    if (!(await this.store.allowNodeCommand(node.tenant, nodeId, { name, pending }, caller.principal)))
      return 'changed';
    await this.registration.refresh(node);
    return this.view(node);
  }

  private async getNode({ tenant }: Principal, nodeId: string): Promise<NodeRecord> {
    const node = await this.store.findNode(nodeId);
    if (!node || !isInScope(tenant, node.tenant)) throw notFound(nodeId);
    return node;
  }

  private async view(node: NodeRecord, jobs?: ReadonlyMap<string, readonly NodeJob[]>): Promise<NodeView> {
    const link = this.links.find(node.nodeId);
    return {
      node,
      state: link ? (link.isHidden ? 'hidden' : 'connected') : 'away',
      ...(link && { since: link.since }),
      isContested: this.links.isContested(node.nodeId),
      commands: await this.store.listNodeCommands(node.nodeId),
      jobs: (jobs ?? (await this.jobs.listByNode(node.tenant))).get(node.nodeId) ?? [],
    };
  }
}

function notFound(nodeId: string): GatewayError {
  return new GatewayError('NOT_FOUND', { what: `node ${nodeId}` });
}
