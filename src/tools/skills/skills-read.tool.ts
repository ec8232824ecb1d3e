import Type, { type Static } from 'typebox';
import { SKILLS_PERMISSION } from '../../core/agents/agent-definition.js';
import { MAX_SKILL_FILE_BYTES, readSkillFile, SKILL_FILE } from '../../core/skills/skill-files.js';
import { SkillsService } from '../../core/skills/skills.service.js';
import { Tool, type ToolExecutor } from '../../core/tools/tool.decorator.js';
import type { ToolCallContext } from '../../core/tools/tool.js';

const Parameters = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64, description: 'The name of the skill.' }),
    file: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1_024,
        description: `A text file in its folder, by its relative path; ${SKILL_FILE} by default.`,
      }),
    ),
  },
  { additionalProperties: false },
);

/** Reads a text file of one of the agent's skills. */
@Tool({
  name: 'skills.read',
  description: `Reads the instructions of a skill, or another text file of it (up to ${MAX_SKILL_FILE_BYTES / 1_024} KiB).`,
  parameters: Parameters,
  permissions: [SKILLS_PERMISSION],
  timeoutMs: 10_000,
  idempotent: true,
})
export class SkillsReadTool implements ToolExecutor<typeof Parameters> {
  constructor(private readonly skills: SkillsService) {}

  async execute(
    { name, file = SKILL_FILE }: Static<typeof Parameters>,
    { agent }: Pick<ToolCallContext, 'agent'>,
  ): Promise<string> {
    const skill = await this.skills.find(agent, name);
    if (!skill) throw new Error(`there is no skill ${name}`);
    return readSkillFile(skill.folder, file);
  }
}
