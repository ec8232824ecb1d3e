import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { StartStep, type Undo } from '../../core/lifecycle/steps.js';
import { Logs, type Log } from '../../core/telemetry/logs.js';
import { Clock } from '../../core/time/clock.js';
import { ToolRegistryService } from '../../core/tools/tool-registry.service.js';
import { CanvasDeskService } from '../canvas/canvas-desk.service.js';
import { CANVAS_SHOW } from '../canvas/canvas-tools.js';
import { connectMcp } from './mcp-connection.js';
import { McpServerLink, type McpPages } from './mcp-server-link.js';

/**
 * Connects to the MCP servers of `mcp.servers`. The start does not wait for them; turns and calls of their tools do.
 */
@Injectable()
export class McpServersService {
  private readonly log: Log;
  /** Pages are surfaces, so who may not draw gets the text of a result alone. */
  private readonly pages: McpPages = {
    mayShow: (context) =>
      context.turn !== undefined && this.registry.getAvailableTools(context).some(({ name }) => name === CANVAS_SHOW),
    show: async ({ html, parameters, ...about }, context) =>
      (await this.desk.showApp({ ...about, arguments: parameters }, html, context)).surface_id,
  };

  constructor(
    private readonly config: ConfigStoreService,
    private readonly registry: ToolRegistryService,
    private readonly clock: Clock,
    private readonly desk: CanvasDeskService,
    logs: Logs,
  ) {
    this.log = logs.for('tools');
  }

  /** The links end after the last turn, which may need the tools. */
  @StartStep({ name: 'link MCP servers', phase: 'register', after: ['register tools'], undoneIn: 'release' })
  start(): Undo {
    const { registry, clock, log, pages } = this;
    const parts = { registry, clock, log, pages, connect: connectMcp };
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
