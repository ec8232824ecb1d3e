import { Injectable } from '@nestjs/common';
import { matchesPattern } from '../agents/name-pattern.js';
import { AgentsService } from '../agents/agents.service.js';
import { SKILLS_PERMISSION, type AgentDefinition } from '../agents/agent-definition.js';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { ToolRegistryService } from './tool-registry.service.js';

/**
 * Warns at the start of permissions and tools that agents name and no tool has. Modules and MCP servers bring tools of
 * their own, so such a name does not make the settings invalid.
 */
@Injectable()
export class UnknownNamesService {
  private readonly log: Log;

  constructor(
    private readonly registry: ToolRegistryService,
    private readonly agents: AgentsService,
    logs: Logs,
  ) {
    this.log = logs.for('tools');
  }

  /** Checks the names once the sources of tools are known; the start does not wait for them. */
  @StartStep({ name: 'check names of tools', phase: 'run' })
  start(): Undo {
    const stop = new AbortController();
    void this.checkLater(stop.signal);
    return () => stop.abort();
  }

  private async checkLater(signal: AbortSignal): Promise<void> {
    await this.registry.sources.whenStarted(signal);
    if (!signal.aborted) this.check();
  }

  check(): void {
    for (const agent of this.agents.list()) {
      const found = { permissions: this.listPermissions(agent), tools: this.listPatterns(agent) };
      if (found.permissions.length + found.tools.length > 0)
        this.log.warn(
          { agent: agent.id, ...found },
          'an agent names permissions or tools that no tool has; they have no effect unless one comes later',
        );
    }
  }

  private listPermissions({ permissions }: AgentDefinition): string[] {
    const tools = this.registry.list();
    const known = new Set([SKILLS_PERMISSION, ...tools.flatMap((tool) => tool.permissions)]);
    // `agents:ops` is a part of the permission `agents`.
    const divided = tools.filter((tool) => tool.permissionOf).flatMap((tool) => tool.permissions);
    return permissions.filter(
      (permission) => !known.has(permission) && !divided.some((whole) => permission.startsWith(`${whole}:`)),
    );
  }

  private listPatterns({ tools: { allow = [], deny } }: AgentDefinition): string[] {
    const names = this.registry.list().map(({ name }) => name);
    return [...allow, ...deny].filter((pattern) => !names.some((name) => matchesPattern(name, pattern)));
  }
}
