// Promises: pages of the web for agents, through the egress guard only. Refuses to know: what an agent wants there.
import { Module } from '@nestjs/common';
import { CoreModule } from '../../core/core.module.js';
import { BrowserActTool } from './act.tool.js';
import { BrowsersService } from './process/browsers.service.js';
import { BrowserEvaluateTool } from './evaluate.tool.js';
import { BrowserDownloadTool, BrowserScreenshotTool } from './file-tools.js';
import { OwnAddressesService } from './process/own-addresses.service.js';
import { PageFilesService } from './page/page-files.js';
import {
  BrowserBackTool,
  BrowserCloseTool,
  BrowserOpenTool,
  BrowserReadTool,
  BrowserSnapshotTool,
  BrowserTabsTool,
  BrowserWaitTool,
} from './page-tools.js';

@Module({
  imports: [CoreModule],
  providers: [
    BrowsersService,
    OwnAddressesService,
    PageFilesService,
    BrowserActTool,
    BrowserBackTool,
    BrowserCloseTool,
    BrowserDownloadTool,
    BrowserEvaluateTool,
    BrowserOpenTool,
    BrowserReadTool,
    BrowserScreenshotTool,
    BrowserSnapshotTool,
    BrowserTabsTool,
    BrowserWaitTool,
  ],
})
export class BrowserModule {}
