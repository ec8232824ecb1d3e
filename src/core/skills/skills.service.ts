import { resolve } from 'node:path';
import { Injectable } from '@nestjs/common';
import { listAgentIds, readEffective, type AgentDefinition } from '../agents/agent-definition.js';
import { BoundedMap } from '../cache/bounded-map.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import type { SettingKey } from '../config/section.js';
import { StartStep } from '../lifecycle/steps.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { listSkillFolders, readSkill, type Skill } from './skill-files.js';

/** Maximum number of entries that are kept. The settings may change without end; an evicted entry is read and logged again. */
const MAX_KEPT = 1_000;

/** A skill or a fault, as the last reading of its folder found it. */
interface Found {
  /** Undefined without a `SKILL.md`. */
  readonly stamp: string | undefined;
  readonly skill?: Skill;
  readonly fault?: string;
}

/** The faults of folders by path; undefined for one without a fault. */
type Faults = ReadonlyMap<string, string | undefined>;

/**
 * The skills of agents, read again when their files change. A skill that is broken is left out; the log says so once, and
 * again when it can be used.
 */
@Injectable()
export class SkillsService {
  private readonly log: Log;
  /** By entry of `skills`, then by path of the folder: what the last reading found. */
  private readonly known = new BoundedMap<string, ReadonlyMap<string, Found>>(MAX_KEPT);
  /** By what was read, an entry or the list of an agent: the faults that were logged. */
  private readonly logged = new BoundedMap<string, Faults>(MAX_KEPT);

  constructor(
    private readonly config: ConfigStoreService,
    logs: Logs,
  ) {
    this.log = logs.for('agent');
  }

  /** Reads the skills of all agents, so that the log says at the start what is missing or broken. */
  @StartStep({ name: 'read skills', phase: 'register' })
  async check(): Promise<void> {
    const get = <K extends SettingKey>(key: K) => this.config.get(key);
    for (const id of listAgentIds(get)) await this.list(readEffective(get, id));
  }

  /** Returns the skills of an agent, in the order of its settings. Of two with one name the first counts. */
  async list({ skills: entries }: Pick<AgentDefinition, 'skills'>): Promise<readonly Skill[]> {
    const found = new Map<string, Skill>();
    const faults = new Map<string, string | undefined>();
    for (const entry of entries) {
      for (const skill of await this.readEntry(resolve(this.config.folder, entry))) {
        const other = found.get(skill.name) ?? skill;
        found.set(skill.name, other);
        const isSecond = other.folder !== skill.folder;
        faults.set(skill.folder, isSecond ? `another skill has the name ${skill.name}: ${other.folder}` : undefined);
      }
    }
    this.report(JSON.stringify(entries), faults);
    return [...found.values()];
  }

  async find(agent: Pick<AgentDefinition, 'skills'>, name: string): Promise<Skill | undefined> {
    return (await this.list(agent)).find((skill) => skill.name === name);
  }

  private async readEntry(entry: string): Promise<Skill[]> {
    const before = this.known.get(entry);
    const now = new Map<string, Found>();
    const faults = new Map<string, string | undefined>([[entry, undefined]]);
    try {
      // One after the other: a thousand open files at once could be more than the process may have.
      for (const { path, stamp } of await listSkillFolders(entry)) {
        const known = before?.get(path);
        const found = known && known.stamp === stamp ? known : await readFolder(path, stamp);
        now.set(path, found);
        faults.set(path, found.fault);
      }
    } catch (error) {
      faults.set(entry, (error as Error).message);
    }
    this.known.set(entry, now);
    this.report(entry, faults);
    return [...now.values()].flatMap(({ skill }) => skill ?? []);
  }

  /** Logs the faults that are new, and the folders that have none any more. A folder that is gone is forgotten. */
  private report(what: string, faults: Faults): void {
    const before = this.logged.get(what);
    for (const [path, fault] of faults) {
      const last = before?.get(path);
      if (fault !== undefined && fault !== last) this.log.warn({ path, fault }, 'a skill is left out');
      if (fault === undefined && last !== undefined) this.log.info({ path }, 'a skill that was left out can be used');
    }
    this.logged.set(what, faults);
  }
}

async function readFolder(path: string, stamp: string | undefined): Promise<Found> {
  if (stamp === undefined) return { stamp, fault: 'there is no SKILL.md' };
  try {
    return { stamp, skill: await readSkill(path) };
  } catch (error) {
    return { stamp, fault: (error as Error).message };
  }
}
