import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { Logs, type Log } from '../../core/telemetry/logs.js';
import { Clock } from '../../core/time/clock.js';
import { ToolRegistryService } from '../../core/tools/tool-registry.service.js';
import { connectMcp } from './mcp-connection.js';
import { McpServerLink } from './mcp-server-link.js';

/** Links the gateway to the MCP servers of `mcp.servers`. A start does not wait for them: their tools come when they come. */
@Injectable()
export class McpServersService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log: Log;
  private links: readonly McpServerLink[] = [];
  private running: readonly Promise<void>[] = [];

  constructor(
    private readonly config: ConfigStoreService,
    private readonly registry: ToolRegistryService,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('tools');
  }

  onApplicationBootstrap(): void {
    const parts = { registry: this.registry, clock: this.clock, log: this.log, connect: connectMcp };
    this.links = Object.entries(this.config.get('mcp.servers')).map(
      ([name, setting]) => new McpServerLink(name, setting, parts),
    );
    this.running = this.links.map((link) => link.run());
  }

  /** After the last turn: until then their tools are needed. */
  async onApplicationShutdown(): Promise<void> {
    for (const link of this.links) link.stop();
    await Promise.all(this.running);
  }
}
