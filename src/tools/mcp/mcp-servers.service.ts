import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { StartStep, type Undo } from '../../core/lifecycle/steps.js';
import { Logs, type Log } from '../../core/telemetry/logs.js';
import { Clock } from '../../core/time/clock.js';
import { ToolRegistryService } from '../../core/tools/tool-registry.service.js';
import { connectMcp } from './mcp-connection.js';
import { McpServerLink } from './mcp-server-link.js';

/**
 * Connects to the MCP servers of `mcp.servers`. The start does not wait for them; turns and calls of their tools do.
 */
@Injectable()
export class McpServersService {
  private readonly log: Log;

  constructor(
    private readonly config: ConfigStoreService,
    private readonly registry: ToolRegistryService,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('tools');
  }

  /** The links end after the last turn, which may need the tools. */
  @StartStep({ name: 'link MCP servers', phase: 'register', after: ['register tools'], undoneIn: 'release' })
  start(): Undo {
    const parts = { registry: this.registry, clock: this.clock, log: this.log, connect: connectMcp };
    const links = Object.entries(this.config.get('mcp.servers')).map(
      ([name, setting]) => new McpServerLink(name, setting, parts),
    );
    const running = links.map((link) => link.run());
    return async () => {
      for (const link of links) link.stop();
      await Promise.all(running);
    };
  }
}
