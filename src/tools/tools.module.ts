// Promises: the gateway's own tools. Refuses to know: who calls them, and whether they may.
import { Module } from '@nestjs/common';
import { CoreModule } from '../core/core.module.js';
import { AgentsAskTool } from './agents-ask.tool.js';
import { BrowserModule } from './browser/browser.module.js';
import { ForeignToolsModule } from './foreign-tools.js';
import { CanvasDeskService } from './canvas/canvas-desk.service.js';
import { CanvasCloseTool, CanvasReadTool, CanvasShowTool, CanvasUpdateTool } from './canvas/canvas-tools.js';
import { CronAddTool, CronListTool, CronRemoveTool, CronUpdateTool } from './cron/cron-tools.js';
import { JobDeskService } from './cron/job-desk.service.js';
import { HttpFetchTool } from './http/http-fetch.tool.js';
import { McpServersService } from './mcp/mcp-servers.service.js';
import { MemorySaveTool, MemorySearchTool } from './memory/memory-tools.js';
import { NodesEventsTool } from './nodes-events.tool.js';
import { SandboxModule } from './sandbox/sandbox.module.js';
import { SessionInfoTool } from './session-info.tool.js';
import { SkillsReadTool } from './skills/skills-read.tool.js';
import { TimeNowTool } from './time-now.tool.js';

@Module({
  imports: [CoreModule, BrowserModule, SandboxModule, ForeignToolsModule],
  providers: [
    AgentsAskTool,
    CanvasCloseTool,
    CanvasDeskService,
    CanvasReadTool,
    CanvasShowTool,
    CanvasUpdateTool,
    CronAddTool,
    CronListTool,
    CronRemoveTool,
    CronUpdateTool,
    JobDeskService,
    HttpFetchTool,
    McpServersService,
    MemorySaveTool,
    MemorySearchTool,
    NodesEventsTool,
    SessionInfoTool,
    SkillsReadTool,
    TimeNowTool,
  ],
})
export class ToolsModule {}
