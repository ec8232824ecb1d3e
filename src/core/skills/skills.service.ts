import { resolve } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { AgentDefinition } from '../agents/agent-definition.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { listSkillFolders, readSkill, type Skill } from './skill-files.js';

interface Known {
  readonly stamp: string;
  readonly skill: Skill | undefined;
}

/** The skills of agents, read again when their files change. A skill that is broken is left out, with one warning. */
@Injectable()
export class SkillsService {
  private readonly log: Log;
  /** By path of the folder. */
  private readonly known = new Map<string, Known>();
  /** By path: the last warning, which is not repeated. */
  private readonly warned = new Map<string, string>();

  constructor(
    private readonly config: ConfigStoreService,
    logs: Logs,
  ) {
    this.log = logs.for('agent');
  }

  /** Returns the skills of an agent, in the order of its settings. Of two with one name the first counts. */
  async list({ skills: entries }: Pick<AgentDefinition, 'skills'>): Promise<readonly Skill[]> {
    const found = new Map<string, Skill>();
    for (const entry of entries) {
      for (const skill of await this.readEntry(resolve(this.config.folder, entry))) {
        const other = found.get(skill.name);
        if (!other) found.set(skill.name, skill);
        else if (other.folder !== skill.folder)
          this.warn(skill.folder, `another skill has the name ${skill.name}: ${other.folder}`);
      }
    }
    return [...found.values()];
  }

  async find(agent: Pick<AgentDefinition, 'skills'>, name: string): Promise<Skill | undefined> {
    return (await this.list(agent)).find((skill) => skill.name === name);
  }

  private async readEntry(entry: string): Promise<Skill[]> {
    try {
      const skills: Skill[] = [];
      // One after the other: a thousand open files at once could be more than the process may have.
      for (const { path, stamp } of await listSkillFolders(entry)) {
        const skill = await this.readFolder(path, stamp);
        if (skill) skills.push(skill);
      }
      return skills;
    } catch (error) {
      this.warn(entry, (error as Error).message);
      return [];
    }
  }

  private async readFolder(path: string, stamp: string | undefined): Promise<Skill | undefined> {
    if (stamp === undefined) {
      this.warn(path, 'there is no SKILL.md');
      return undefined;
    }
    const known = this.known.get(path);
    if (known?.stamp === stamp) return known.skill;
    const skill = await readSkill(path).catch((error: unknown) => {
      this.warn(path, (error as Error).message);
      return undefined;
    });
    if (skill) this.warned.delete(path);
    this.known.set(path, { stamp, skill });
    return skill;
  }

  private warn(path: string, fault: string): void {
    if (this.warned.get(path) === fault) return;
    this.warned.set(path, fault);
    this.log.warn({ path, fault }, 'a skill is left out');
  }
}
