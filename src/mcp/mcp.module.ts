// Promises: operators' programs use the tools over MCP, with the same credentials and permissions as everywhere else.
// Refuses to know: what the tools do.
import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index.js';
import { CoreModule } from '../core/core.module.js';
import { McpController } from './mcp.controller.js';

@Module({ imports: [AuthModule, CoreModule], controllers: [McpController] })
export class McpModule {}
