import { Injectable } from '@nestjs/common';
import { SkillsService } from '../../core/skills/skills.service.js';
import { Logs, type Log } from '../../core/telemetry/logs.js';
import { CommandSandbox } from '../../core/tools/command-sandbox.js';
import type { ToolNames } from '../../core/tools/tool-names.js';
import type { AgentTurn } from '../../core/turns/agent-runtime.js';
import { renderSystemPrompt } from './people.js';
import { PromptFiles } from './prompt-files.js';
import { renderSkills } from './skill-list.js';

const READ_TOOL = 'skills.read';

/** Renders the system prompt of a turn: the agent's prompt, its prompt files, its skills, what its tools say, and the
 * gateway's own text. */
@Injectable()
export class Instructions {
  private readonly log: Log;
  /** By agent: the skills without room in the list that were logged last. */
  private readonly leftOut = new Map<string, string>();

  constructor(
    private readonly sandbox: CommandSandbox,
    private readonly files: PromptFiles,
    private readonly skills: SkillsService,
    logs: Logs,
  ) {
    this.log = logs.for('agent');
  }

  async render(turn: AgentTurn, names: ToolNames): Promise<string> {
    const { agent, session } = turn;
    const texts = [
      agent.systemPrompt,
      ...(await this.files.read(agent)),
      ...(await this.renderSkills(turn, names)),
      ...turn.readGuides((tool) => names.encode(tool)),
    ];
    return renderSystemPrompt(texts, agent.name, session);
  }

  private async renderSkills(turn: AgentTurn, names: ToolNames): Promise<string[]> {
    const { agent } = turn;
    if (agent.skills.length === 0) return [];
    const tools = turn.listTools();
    const skills = tools.some(({ name }) => name === READ_TOOL) ? await this.skills.list(agent) : [];
    if (skills.length === 0) return [];
    const hasSandbox = tools.some(({ sandbox }) => sandbox) && (await this.sandbox.isReady());
    const { text, leftOut } = renderSkills(skills, names.encode(READ_TOOL), hasSandbox);
    this.note(agent.id, leftOut);
    return [text];
  }

  private note(agent: string, leftOut: readonly string[]): void {
    const names = leftOut.join(' ');
    if ((this.leftOut.get(agent) ?? '') === names) return;
    this.leftOut.set(agent, names);
    if (names !== '')
      this.log.warn({ agent, skills: leftOut }, 'the list of skills is too long; the last ones are left out');
  }
}
