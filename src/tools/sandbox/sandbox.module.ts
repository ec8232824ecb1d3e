// Promises: commands of tools run in a sandbox or not at all. Refuses to know: their purpose.
import { Module } from '@nestjs/common';
import { FilesListTool, FilesReadTool, FilesWriteTool } from './file-tools.js';
import { SandboxService } from './sandbox.service.js';
import { ShellRunTool } from './shell-run.tool.js';
import { WorkspaceFiles } from './workspace-files.js';

@Module({
  providers: [SandboxService, WorkspaceFiles, ShellRunTool, FilesReadTool, FilesWriteTool, FilesListTool],
  exports: [SandboxService],
})
export class SandboxModule {}
