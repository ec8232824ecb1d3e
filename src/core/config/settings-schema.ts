import type { TSchema } from 'typebox';
import type { Scope } from '../../protocol/domain.js';
import { SettingsError, type SettingFault, type SettingsReader, type SettingsSection } from './section.js';
import { suggest } from './suggest.js';

/** One setting under its dotted key, for example `gateway.port`. */
export interface SettingRow {
  readonly key: string;
  readonly schema: TSchema & Annotations;
  /** The name of its environment variable. */
  readonly env: string;
}

interface Annotations {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly items?: SettingRow['schema'];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly description?: string;
  readonly 'x-restart'?: boolean;
  readonly 'x-scope'?: Scope;
  readonly 'x-secret'?: boolean;
  readonly 'x-start-only'?: string;
  readonly 'x-later'?: boolean;
  readonly 'x-keys'?: string;
  readonly 'x-parts'?: boolean;
}

/** A setting, or a part of one: `agents.ops.model` is the part `['ops', 'model']` of `agents`. */
export interface SettingPlace {
  readonly row: SettingRow;
  /** The names that lead to the part; empty for the whole setting. */
  readonly path: readonly string[];
}

/** Thrown by the reader to skip a rule. */
const UNSOUND = Symbol('a setting with a fault');

/** The schema of the settings of all sections. */
export class SettingsSchema {
  /** All settings, grouped by the first part of the key, in the order of the sections. */
  readonly rows: readonly SettingRow[];
  private readonly sections: readonly SettingsSection[];
  private readonly byKey: ReadonlyMap<string, SettingRow>;

  /**
   * @param sections duplicates are ignored
   * @throws SettingsError if two sections declare the same key or environment variable, or a key below a setting that
   * is not a map
   */
  constructor(sections: readonly SettingsSection[]) {
    this.sections = [...new Set(sections)];
    const rows = this.sections.flatMap(({ properties }) => Object.entries(properties).map(toRow));
    this.byKey = new Map(rows.map((row) => [row.key, row]));
    this.rows = [...Map.groupBy(rows, ({ key }) => key.split('.')[0]).values()].flat();
    const faults = this.findContradictions();
    if (faults.length > 0) throw new SettingsError(faults);
  }

  /** Returns a schema with these settings and those of `sections`. */
  with(sections: readonly SettingsSection[]): SettingsSchema {
    return new SettingsSchema([...this.sections, ...sections]);
  }

  find(key: string): SettingRow | undefined {
    return this.byKey.get(key);
  }

  /** Finds the setting of `key`, or the one whose part it names, if that allows parts (`x-parts`). */
  locate(key: string): SettingPlace | undefined {
    const whole = this.find(key);
    if (whole) return { row: whole, path: [] };
    const row = this.rows.find((candidate) => candidate.schema['x-parts'] && key.startsWith(`${candidate.key}.`));
    return row && { row, path: key.slice(row.key.length + 1).split('.') };
  }

  /** Returns why there is no setting of `key`. */
  describeUnknown(key: string): string {
    const outer = this.rows.find((row) => row.schema.type === 'object' && key.startsWith(`${row.key}.`));
    if (outer) return `is a part of ${outer.key}, which can be changed as a whole only`;
    const meant = suggest(
      key,
      this.rows.map((row) => row.key),
    );
    return `unknown setting${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  }

  /** Returns whether `outer` and `key` are the same setting or part of one, or `key` is a part of `outer`. */
  covers(outer: string, key: string): boolean {
    return key === outer || (key.startsWith(`${outer}.`) && this.locate(outer)?.row === this.locate(key)?.row);
  }

  /** Returns whether there are settings below `key`, for example below `gateway`. */
  hasBelow(key: string): boolean {
    return this.rows.some((row) => row.key.startsWith(`${key}.`));
  }

  has(section: SettingsSection): boolean {
    return this.sections.includes(section);
  }

  /** Functions that complete loaded values, by key. */
  get completions(): SettingsSection['completions'] {
    return Object.assign({}, ...this.sections.map(({ completions }) => completions)) as SettingsSection['completions'];
  }

  /** Runs the rules of all sections, except those that read one of the `unsound` keys. */
  checkRules(get: SettingsReader, unsound: ReadonlySet<string> = new Set()): SettingFault[] {
    const read: SettingsReader = (key) => {
      // oxlint-disable-next-line eslint/no-throw-literal -- not an error: caught below
      if (unsound.has(key)) throw UNSOUND;
      return get(key);
    };
    const keys = this.rows.map(({ key }) => key);
    return this.sections.flatMap(({ rules }) =>
      rules.flatMap((rule) => {
        try {
          return rule(read, keys);
        } catch (error) {
          if (error === UNSOUND) return [];
          throw error;
        }
      }),
    );
  }

  private findContradictions(): SettingFault[] {
    const variables = new Map<string, string>();
    return this.rows.flatMap(({ key, env }) => {
      const other = variables.get(env);
      variables.set(env, key);
      if (other === key) return [{ key, message: 'is declared by two parts' }];
      if (other !== undefined) return [{ key, message: `has the same environment variable as ${other}, ${env}` }];
      const above = this.rows.find((row) => key.startsWith(`${row.key}.`) && row.schema.type !== 'object');
      return above ? [{ key, message: `is below ${above.key}, which is not a map` }] : [];
    });
  }
}

function toRow([key, schema]: [string, TSchema]): SettingRow {
  return { key, schema, env: `OPENCLAW_${key.replaceAll('.', '_').toUpperCase()}` };
}
