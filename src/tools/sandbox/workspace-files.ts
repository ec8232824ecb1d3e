import { posix } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { ToolCallContext } from '../../core/tools/tool.js';
import { toPlainText } from '../plain-text.js';
import { OutputTail } from './output-tail.js';
import { SandboxService } from './sandbox.service.js';

/** The part of a call's context that file tools pass on. */
export type FileCall = Pick<ToolCallContext, 'session' | 'signal'>;

const MAX_COMPLAINT_BYTES = 2_048;

/**
 * Accesses the files of a session's workspace. All access runs in the sandbox, so a link or a path out of the workspace
 * cannot reach files of this machine.
 */
@Injectable()
export class WorkspaceFiles {
  constructor(private readonly sandbox: SandboxService) {}

  /**
   * Runs a script on a path of the workspace, which is `$1` in the script.
   * @returns the last `maxBytes` of its output
   * @throws Error with the script's error output if it fails
   */
  async run(
    call: FileCall,
    script: string,
    path: string,
    rest: readonly string[],
    maxBytes: number,
    input?: Uint8Array,
  ): Promise<Buffer> {
    const output = new OutputTail(maxBytes);
    const complaint = new OutputTail(MAX_COMPLAINT_BYTES);
    const ending = await this.sandbox.run(
      call.session,
      {
        argv: ['/bin/sh', '-c', script, 'files', toWorkspacePath(path), ...rest],
        ...(input && { input }),
        onOutput: (chunk, stream) => (stream === 'stdout' ? output : complaint).write(chunk),
      },
      call.signal,
    );
    if (ending.kind === 'stopped') throw new Error(ending.reason);
    if (ending.exitCode !== 0)
      throw new Error(toPlainText(complaint.read().toString()).trim() || `it ended with exit code ${ending.exitCode}`);
    return output.read();
  }

  /** @throws Error if the workspace is full */
  async checkRoom(call: FileCall): Promise<void> {
    const fault = await this.sandbox.findQuotaFault(call.session);
    if (fault !== undefined) throw new Error(fault);
  }
}

/**
 * Returns a path for the sandbox's programs: relative, with a leading `./` so that no program parses it as an option.
 * @throws Error if it leads out of the workspace
 */
export function toWorkspacePath(path: string): string {
  const relative = posix.normalize(path.startsWith('/workspace/') ? path.slice('/workspace/'.length) : path);
  if (path.includes('\0') || posix.isAbsolute(relative) || relative === '..' || relative.startsWith('../')) {
    throw new Error(`the path "${path}" must stay in the workspace`);
  }
  return `./${relative}`;
}
