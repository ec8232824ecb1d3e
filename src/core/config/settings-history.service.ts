import { Injectable } from '@nestjs/common';
import { SettingsStore, type Json, type SettingsVersion } from '../store/index.js';
import { ConfigStoreService } from './config-store.service.js';

/** Number of changes that a revert reads. */
const MAX_REVERTED = 500;

/** A change of settings for operators; secrets are hidden. */
export interface SettingsVersionView extends Omit<SettingsVersion, 'before' | 'after'> {
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

/** The changes of settings at run time, and how they are undone. */
@Injectable()
export class SettingsHistoryService {
  constructor(
    private readonly settings: SettingsStore,
    private readonly config: ConfigStoreService,
  ) {}

  /** Lists changes before a version, the newest first. */
  async list(before: number, limit: number): Promise<readonly SettingsVersionView[]> {
    const versions = await this.settings.listSettingsVersions(before, limit);
    return versions.map((row) => ({ ...row, before: this.hide(row.before), after: this.hide(row.after) }));
  }

  /**
   * Returns the changes that bring back the stored values of a version, with their secrets; undefined if the changes since
   * then are not kept any more.
   */
  async findRevert(version: number): Promise<Readonly<Record<string, unknown>> | undefined> {
    const since = this.config.version - version;
    if (since < 0 || since > MAX_REVERTED) return undefined;
    const newestFirst = await this.settings.listSettingsVersions(this.config.version + 1, since);
    if (newestFirst.length < since || newestFirst.some((row, index) => row.version !== this.config.version - index))
      return undefined;
    const values = Object.assign({}, ...newestFirst.map(({ before }) => before)) as Record<string, Json | null>;
    return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, parse(value)]));
  }

  private hide(values: Readonly<Record<string, Json | null>>): Readonly<Record<string, unknown>> {
    return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, this.config.hide(key, parse(value))]));
  }
}

function parse(value: Json | null): unknown {
  return value === null ? null : (JSON.parse(value) as unknown);
}
