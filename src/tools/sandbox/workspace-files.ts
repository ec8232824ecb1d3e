import { posix } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { ToolCallContext } from '../../core/tools/tool.js';
import { toPlainText } from '../plain-text.js';
import { OutputTail } from './output-tail.js';
import { SandboxService } from './sandbox.service.js';

/** What a call of a file tool gives on. */
export type FileCall = Pick<ToolCallContext, 'session' | 'signal'>;

const MAX_COMPLAINT_BYTES = 2_048;

/**
 * The files of a session's workspace. Whatever is done to them is done in the sandbox, by programs that see nothing
 * else: a link or a path that leads out of the workspace leads to nothing of this machine's.
 */
@Injectable()
export class WorkspaceFiles {
  constructor(private readonly sandbox: SandboxService) {}

  /**
   * Runs a script on a path of the workspace, which it finds as `$1`.
   * @returns what it printed, at most `maxBytes` from its end
   * @throws Error with what the script complained of, when it fails
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

  /** @throws Error when the workspace has no room for another `bytes` bytes */
  async checkRoom(call: FileCall): Promise<void> {
    const fault = await this.sandbox.findQuotaFault(call.session);
    if (fault !== undefined) throw new Error(fault);
  }
}

/**
 * A path as the sandbox's programs get it: relative, with a `./` in front so that no program takes it for an option.
 * @throws Error when it leads out of the workspace; nothing is out there, but the caller should know
 */
export function toWorkspacePath(path: string): string {
  const relative = posix.normalize(path.startsWith('/workspace/') ? path.slice('/workspace/'.length) : path);
  if (path.includes('\0') || posix.isAbsolute(relative) || relative === '..' || relative.startsWith('../')) {
    throw new Error(`the path "${path}" must stay in the workspace`);
  }
  return `./${relative}`;
}
