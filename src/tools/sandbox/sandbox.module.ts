// Promises: commands of tools run in a sandbox or not at all. Refuses to know: their purpose.
import { Global, Module } from '@nestjs/common';
import { CommandSandbox } from '../../core/tools/command-sandbox.js';
import { FilesListTool, FilesReadTool, FilesWriteTool } from './file-tools.js';
import { SandboxService } from './sandbox.service.js';
import { ShellRunTool } from './shell-run.tool.js';
import { WorkspaceFiles } from './workspace-files.js';

/** Global, because prompts say whether commands can run. */
@Global()
@Module({
  providers: [
    SandboxService,
    { provide: CommandSandbox, useExisting: SandboxService },
    WorkspaceFiles,
    ShellRunTool,
    FilesReadTool,
    FilesWriteTool,
    FilesListTool,
  ],
  exports: [SandboxService, CommandSandbox],
})
export class SandboxModule {}
