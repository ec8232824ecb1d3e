import type { Static, TObject, TProperties } from 'typebox';

/**
 * The type of every setting by its dotted key: `Settings['gateway.port']` is a number. Parts add theirs by declaration
 * merging, as `src/settings.ts` does for those of the gateway and a team's module for its own:
 * `declare module 'openclaw-gateway-nest' { interface Settings extends SettingsOf<typeof acmeSettings> {} }`.
 */
// oxlint-disable-next-line typescript/no-empty-object-type, typescript/no-empty-interface -- filled by declaration merging
export interface Settings {}

/** The dotted key of a setting. */
export type SettingKey = keyof Settings;

/** The type of a setting's value. */
export type SettingValue<K extends SettingKey> = Settings[K];

export type SettingsReader = <K extends SettingKey>(key: K) => SettingValue<K>;

/** A fault in the settings, with a message for the operator. */
export interface SettingFault {
  readonly key: string;
  readonly message: string;
  /** Where in the value, as a JSON pointer; without it the whole value. */
  readonly at?: string;
}

/** Thrown at the start. Its message lists the faults with their keys and the allowed values. */
export class SettingsError extends Error {
  /** Maximum number of faults that are listed: without an agent, each of thousands of bindings can have one. */
  static readonly MAX_LISTED = 100;

  constructor(readonly faults: readonly SettingFault[]) {
    const lines = faults.slice(0, SettingsError.MAX_LISTED).map((fault) => `  - ${fault.key}: ${fault.message}`);
    if (faults.length > lines.length) lines.push(`  - and ${faults.length - lines.length} more`);
    super(
      `The settings have ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}; nothing was started:\n${lines.join('\n')}`,
    );
    this.name = 'SettingsError';
  }
}

/**
 * Checks constraints that the schema of a single value cannot express. Runs at the start and before every change. A
 * rule that reads a setting with a fault is skipped. `keys` are those of all settings, of modules too. Declare it as a typed function: the type of an arrow function
 * within `defineSettings` would be circular.
 */
export type SettingsRule = (get: SettingsReader, keys: readonly string[]) => readonly SettingFault[];

export type Environment = Readonly<Record<string, string | undefined>>;

/** Returns the text of a file that a variable `*_FILE` names. @throws Error if it cannot be read */
export type SecretFileReader = (path: string) => string;

/** Options of {@link defineSettings}. */
export interface SectionOptions<P extends TProperties = TProperties> {
  readonly rules?: readonly SettingsRule[];
  /**
   * Completes the loaded value of a setting with environment variables of other names, for example `ANTHROPIC_API_KEY`.
   * Throws {@link SettingsError} if one of them, or the file that it names, cannot be used.
   */
  readonly completions?: {
    readonly [K in keyof P]?: (
      value: Static<P[K]>,
      environment: Environment,
      readFile: SecretFileReader,
    ) => Static<P[K]>;
  };
}

/** A section of settings: a schema for each dotted key, and rules. */
export interface SettingsSection<P extends TProperties = TProperties> {
  readonly properties: P;
  readonly rules: readonly SettingsRule[];
  readonly completions: Readonly<
    Record<string, (value: unknown, environment: Environment, readFile: SecretFileReader) => unknown>
  >;
}

/** The types that a section, or a union of sections, adds to {@link Settings}. */
export type SettingsOf<S extends SettingsSection> = Static<TObject<Intersection<S['properties']>>>;

type Intersection<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer I extends TProperties) => void
  ? I
  : never;

/** The settings as nested objects, for `ConfigService<SettingsTree, true>` of `@nestjs/config`. */
export type SettingsTree = Tree<Settings>;

type Tree<T> = { [K in keyof T as K extends `${string}.${string}` ? never : K]: T[K] } & {
  [First in keyof T extends infer K ? (K extends `${infer Head}.${string}` ? Head : never) : never]: Tree<
    Below<T, First>
  >;
};
type Below<T, First extends string> = {
  [K in keyof T as K extends `${First}.${infer Rest}` ? Rest : never]: T[K];
};

/**
 * Declares a section of settings, each under its full key: `defineSettings({ 'acme.dice.max_sides': Type.Integer({
 * default: 100, minimum: 2, maximum: 1_000, description }) })`. The key `a.b_c` is the environment variable
 * `OPENCLAW_A_B_C`. A setting without a `default` is `Type.Optional(...)`.
 *
 * Annotations: `x-restart`: a change needs a restart; `x-scope`: the scope that may change it at run time, by default
 * `config:write`; `x-secret`: never shown; `x-start-only`: the reason why it cannot be changed at run time; `x-later`: its
 * feature does not exist yet; `x-keys`: the keys that a map accepts, in words; `x-parts`: parts of the map can be changed at run time one at a time
 * (`agents.ops.model`), and a part can have an `x-scope` of its own; `x-path`: a list of paths of files, which a change at
 * run time may add only below the folder of the settings. What starts programs or widens permissions or reach has the
 * scope `config:dangerous`, a credential `tokens:write`.
 */
export function defineSettings<P extends TProperties>(
  properties: P,
  { rules = [], completions = {} }: SectionOptions<P> = {},
): SettingsSection<P> {
  return { properties, rules, completions: completions as SettingsSection['completions'] };
}
