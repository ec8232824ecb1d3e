// Promises: the tools that come with the gateway. Refuses to know: who calls them, and when they may.
import { Module } from '@nestjs/common';
import { HttpFetchTool } from './http/http-fetch.tool.js';
import { SandboxModule } from './sandbox/sandbox.module.js';
import { TimeNowTool } from './time-now.tool.js';

@Module({ imports: [SandboxModule], providers: [HttpFetchTool, TimeNowTool] })
export class ToolsModule {}
