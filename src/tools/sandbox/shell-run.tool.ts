import Type, { type Static } from 'typebox';
import { Tool, type ToolExecutor } from '../../core/tools/tool.decorator.js';
import type { ToolCallContext } from '../../core/tools/tool.js';
import { text } from '../../protocol/text.js';
import { SKILLS_MOUNT } from '../../core/skills/skill-files.js';
import { SkillsService } from '../../core/skills/skills.service.js';
import { OutputTail } from './output-tail.js';
import { SandboxService } from './sandbox.service.js';

/** Length of the end of the output that is shown, in bytes. */
const MAX_SHOWN_BYTES = 65_536;
/** Limit for a sandbox that hangs, in milliseconds; the sandbox's own limit is shorter. */
const CALL_TIMEOUT_MS = 660_000;

const Parameters = Type.Object(
  {
    command: text({ min: 1, max: 65_536, controls: true }, 'For `sh -c`, in the folder of this session.'),
    timeout_ms: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 600_000,
        description: 'Time limit in milliseconds; at most what the operator allows.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** The result of a command. */
export interface ShellRunResult {
  /** Null if it was stopped. */
  readonly exit_code: number | null;
  /** Why it was stopped. */
  readonly stopped?: string;
  /** The end of its output on both streams, after a line about how much was cut. */
  readonly output: string;
}

/** Runs a command in the sandbox. A failing command is a result, not a failure of the tool. */
@Tool({
  name: 'shell.run',
  description:
    'Runs a shell command in a sandbox: no network, few rights, one folder for each conversation. Files stay for the next command; processes do not.',
  parameters: Parameters,
  permissions: ['shell'],
  timeoutMs: CALL_TIMEOUT_MS,
  sandbox: true,
})
export class ShellRunTool implements ToolExecutor<typeof Parameters> {
  constructor(
    private readonly sandbox: SandboxService,
    private readonly skills: SkillsService,
  ) {}

  async execute(
    { command, timeout_ms: timeoutMs }: Static<typeof Parameters>,
    { agent, session, signal }: Pick<ToolCallContext, 'agent' | 'session' | 'signal'>,
  ): Promise<ShellRunResult> {
    const output = new OutputTail(MAX_SHOWN_BYTES);
    const skills = agent.skills.length > 0 ? await this.skills.list(agent) : [];
    const request = {
      argv: ['/bin/sh', '-c', command],
      ...(timeoutMs !== undefined && { timeoutMs }),
      mounts: skills.map(({ name, folder }) => ({ source: folder, target: `${SKILLS_MOUNT}/${name}` })),
      onOutput: (chunk: Uint8Array) => output.write(chunk),
    };
    const ending = await this.sandbox.run(session, request, signal);
    if (ending.kind === 'stopped') return { exit_code: null, stopped: ending.reason, output: output.describe() };
    return { exit_code: ending.exitCode, output: output.describe() };
  }
}
