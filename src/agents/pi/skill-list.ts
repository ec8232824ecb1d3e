import { SKILLS_MOUNT, type Skill } from '../../core/skills/skill-files.js';

/** Maximum length of the list, in UTF-16 units. */
const MAX_LENGTH = 32_000;

/** The part of the system prompt about skills. */
export interface SkillList {
  readonly text: string;
  /** Names for which there was no room. */
  readonly leftOut: readonly string[];
}

/**
 * Returns the list of skills for a model.
 * @param readTool the tool that reads a skill, by the name that the model knows
 * @param hasSandbox whether their scripts can run
 */
export function renderSkills(skills: readonly Skill[], readTool: string, hasSandbox: boolean): SkillList {
  const scripts = hasSandbox
    ? `Their files are at ${SKILLS_MOUNT}/NAME in the sandbox, read-only; their scripts run there only.`
    : 'Their scripts cannot run: there is no sandbox.';
  const head = `Skills are instructions for certain tasks. When one fits a task, read it with ${readTool} before you begin. ${scripts}`;
  let left = MAX_LENGTH - head.length;
  const lines: string[] = [];
  const leftOut: string[] = [];
  for (const { name, description } of skills) {
    const line = `- ${name}: ${description.replaceAll(/\s+/g, ' ')}`;
    left -= line.length + 1;
    if (left < 0) leftOut.push(name);
    else lines.push(line);
  }
  return { text: [head, ...lines].join('\n'), leftOut };
}
