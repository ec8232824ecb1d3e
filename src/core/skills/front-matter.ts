import { parseDocument } from 'yaml';

/** The front matter of a `SKILL.md`. */
export interface FrontMatter {
  readonly name: string;
  readonly description: string;
  readonly license?: string;
  readonly compatibility?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** For people; grants nothing and takes nothing. */
  readonly allowedTools: readonly string[];
}

const SKILL_NAME = /^(?=.{1,64}$)[a-z0-9]+(?:-[a-z0-9]+)*$/;
const MAX_DESCRIPTION_LENGTH = 1_024;
const MAX_COMPATIBILITY_LENGTH = 500;
/** Maximum length of the YAML, in UTF-16 units: deep nesting costs a stack, so the text must be short. */
const MAX_YAML_LENGTH = 16_384;
/** Maximum number of characters that may open a nested list or map. */
const MAX_OPENINGS = 256;
const FENCED = /^---[ \t]*\n([^]*?)^---[ \t]*(?:\n|$)/m;

/**
 * Reads the front matter of a `SKILL.md`. A byte order mark and CRLF are accepted.
 * @throws Error with the fault
 */
export function readFrontMatter(text: string): FrontMatter {
  const normal = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  const fenced = FENCED.exec(normal);
  if (!fenced || fenced.index !== 0) throw new Error('has no front matter between lines of ---');
  const fields = parseFields(fenced[1] ?? '');
  const { name, description, license, compatibility, metadata } = fields;
  if (typeof name !== 'string' || !SKILL_NAME.test(name))
    throw new Error('name must be 1 to 64 of a-z, 0-9 and -, without - at an end or twice in a row');
  return {
    name,
    description: checkText('description', description, MAX_DESCRIPTION_LENGTH),
    ...(isGiven(license) && { license: checkText('license', license, MAX_YAML_LENGTH) }),
    ...(isGiven(compatibility) && {
      compatibility: checkText('compatibility', compatibility, MAX_COMPATIBILITY_LENGTH),
    }),
    ...(isGiven(metadata) && { metadata: checkMap('metadata', metadata) }),
    allowedTools: readTools(fields['allowed-tools']),
  };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function parseFields(yaml: string): Record<string, unknown> {
  if (yaml.length > MAX_YAML_LENGTH) throw new Error('the front matter is too long');
  if ((yaml.match(/[[{]|- (?=-)|\? /g)?.length ?? 0) > MAX_OPENINGS)
    throw new Error('the front matter is nested too deeply');
  const document = parseDocument(yaml, { logLevel: 'silent', stringKeys: true });
  const [fault] = document.errors;
  if (fault) throw new Error(`the front matter is not YAML: ${fault.message.split('\n')[0]}`);
  // Without aliases a short text cannot become a large value.
  const fields: unknown = document.toJS({ maxAliasCount: 0 });
  return checkMap('the front matter', fields);
}

function checkMap(name: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${name} must be a map`);
}

function checkText(name: string, value: unknown, maxLength: number): string {
  const text = typeof value === 'string' ? value.trim() : '';
  if (text !== '' && Array.from(text).length <= maxLength) return text;
  throw new Error(`${name} must be a text of 1 to ${maxLength.toLocaleString('en')} characters`);
}

/** A text has one name per word, or several with commas. */
function readTools(value: unknown): readonly string[] {
  if (!isGiven(value)) return [];
  if (typeof value === 'string') return value.split(/[\s,]+/).filter((name) => name !== '');
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value;
  throw new Error('allowed-tools must be a text or a list of texts');
}
