// Promises: the tools that come with the gateway. Refuses to know: who calls them, and when they may.
import { Module } from '@nestjs/common';
import { TimeNowTool } from './time-now.tool.js';

@Module({ providers: [TimeNowTool] })
export class ToolsModule {}
