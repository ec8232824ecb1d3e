import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../config/config-store.service.js';
import { StartStep } from '../lifecycle/steps.js';
import { ALL_TENANTS, NodeStore, type NodeCommandRecord, type NodeRecord } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { ForeignTools } from '../tools/foreign-tools.js';
import type { ToolDefinition } from '../tools/tool.js';
import { ToolRegistryService } from '../tools/tool-registry.service.js';
import { decodeDefinition, isAllowed, toolNameOf } from './command-rules.js';
import { CALL_GRACE_MS, NodeCallsService } from './node-calls.service.js';

/** Time by which the registry's limit is later than that of the call itself, in milliseconds. */
const REGISTRY_GRACE_MS = 3_000;

/** Registers the commands of nodes as tools. Those of a node that is away stay listed, and a call says so. */
@Injectable()
export class NodeToolsService {
  /** Names of tools, by node. */
  private readonly registered = new Map<string, readonly string[]>();
  private readonly log: Log;

  constructor(
    private readonly store: NodeStore,
    private readonly registry: ToolRegistryService,
    private readonly foreign: ForeignTools,
    private readonly calls: NodeCallsService,
    private readonly config: ConfigStoreService,
    logs: Logs,
  ) {
    this.log = logs.for('tools');
  }

  /** Registers what nodes have offered before this start, so that a turn that is taken up again finds its tools. */
  @StartStep({ name: 'register tools of nodes', phase: 'register', after: ['register tools'] })
  async start(): Promise<void> {
    for (const node of await this.store.listNodes(ALL_TENANTS))
      await this.show(node, await this.store.listNodeCommands(node.nodeId));
  }

  /** Replaces the tools of a node. */
  async show(node: NodeRecord, commands: readonly NodeCommandRecord[]): Promise<void> {
    const tools: ToolDefinition[] = [];
    for (const command of commands) {
      const { dangerous } = decodeDefinition(command.definition);
      if (!command.isOffered || !isAllowed(node.allow, command.name, dangerous)) continue;
      const tool = await this.define(node, command);
      if (tool) tools.push(tool);
    }
    this.remove(node.nodeId);
    for (const tool of tools) this.registry.register(tool);
    this.registered.set(
      node.nodeId,
      tools.map(({ name }) => name),
    );
  }

  /** Removes the tools of a node. */
  remove(nodeId: string): void {
    for (const name of this.registered.get(nodeId) ?? []) this.registry.unregister(name);
    this.registered.delete(nodeId);
  }

  /** Returns the time limit of calls of a command, in milliseconds. */
  limitTimeout(timeoutMs: number): number {
    return Math.min(timeoutMs, this.config.get('agent.turn_timeout_ms'));
  }

  private async define(node: NodeRecord, command: NodeCommandRecord): Promise<ToolDefinition | undefined> {
    const { nodeId, tenant } = node;
    const { name, pending } = command;
    const claim = decodeDefinition(command.definition);
    const timeoutMs = this.limitTimeout(claim.timeout_ms);
    try {
      const vetted = await this.foreign.vet(claim.description, claim.parameters);
      return {
        ...vetted,
        name: toolNameOf(nodeId, name),
        description: `Command of the device ${node.name} (${nodeId}), which says: ${vetted.description}`,
        tenant,
        permissions: [`node:${nodeId}`, ...claim.permissions],
        timeoutMs: timeoutMs + CALL_GRACE_MS + REGISTRY_GRACE_MS,
        idempotent: claim.idempotent,
        remembersCalls: true,
        requiresApproval: claim.dangerous,
        sandbox: false,
        handler: (parameters, context) => {
          if (pending !== undefined) throw new Error(explainPending(nodeId, name));
          const { idempotent: isIdempotent } = claim;
          return this.calls.run({ nodeId, name, timeoutMs, isIdempotent }, parameters, context);
        },
      };
    } catch (error) {
      this.log.warn({ node: nodeId, command: name, error }, 'a command of a node cannot be used');
      return undefined;
    }
  }
}

function explainPending(nodeId: string, command: string): string {
  return (
    `the device has changed what it says of this command; an operator has to allow that: ` +
    `openclaw nodes allow ${nodeId} --command ${command}`
  );
}
