import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { START_PHASES, STOP_PHASES } from '../src/core/lifecycle/steps.js';
import { closeTable } from '../src/protocol/closes.js';
import { errorTable } from '../src/protocol/errors.js';
import { MessageStatus } from '../src/protocol/messages.js';

const page = readFileSync('ARCHITECTURE.md', 'utf8');
const rules = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as {
  readonly forbidden: readonly { readonly name: string }[];
};

/** Returns the text between a heading of the second level and the next one. */
function section(title: string): string {
  const [, rest] = page.split(`\n## ${title}\n`);
  if (rest === undefined) throw new Error(`ARCHITECTURE.md has no section "${title}"`);
  return rest.split('\n## ')[0]!;
}

/** Returns the parts of a text in backticks, without calls and patterns. */
const codeIn = (text: string) => [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);

const foldersOf = (folder: string) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

const sources = globSync('src/**/*.ts').filter((file) => !file.endsWith('.spec.ts'));

describe('ARCHITECTURE.md', () => {
  it('draws every folder of src, and no other', () => {
    const drawn = [...section('The tree').matchAll(/^ {2}([a-z]+)\/ /gm)].map(([, name]) => name!);
    expect(drawn.toSorted()).toEqual(foldersOf('src').toSorted());
  });

  it('lists every folder of src/core, in the order that the import rules check', () => {
    const rows = [...section('The tree').matchAll(/^\| (`[^|]+`) \|/gm)].map(([, cell]) => codeIn(cell!));
    const checked = rules.forbidden
      .filter(({ name }) => name.startsWith('core-order-'))
      .map(({ name }) => name.slice(11));
    expect(rows.flat()).toEqual(checked);
    expect(rows.flat().toSorted()).toEqual(foldersOf('src/core').toSorted());
  });

  it('names files that exist', () => {
    const files = codeIn(section('One message, start to finish')).filter((code) => code.endsWith('.ts'));
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => !existsSync(`src/${file}`))).toEqual([]);
  });

  it('has no broken links', () => {
    const links = [...page.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target!);
    expect(links.filter((target) => !existsSync(target))).toEqual([]);
  });

  it('names error codes and close codes of the tables', () => {
    const text = section('One message, start to finish');
    const codes = codeIn(text).filter((code) => /^[A-Z]+(_[A-Z]+)*$/.test(code));
    expect(codes.filter((code) => !Object.hasOwn(errorTable, code))).toEqual([]);
    const closes = [...text.matchAll(/close ([\d, ]+)/g)].flatMap(([, list]) => list!.match(/\d+/g)!.map(Number));
    const known = new Set<number>(Object.values(closeTable).map(({ code }) => code));
    expect(closes.filter((code) => !known.has(code))).toEqual([]);
  });

  it('names every code with which a message is refused on its way in', () => {
    const intake = ['intake', 'sessions', 'media', 'queue', 'limits'].flatMap((folder) =>
      globSync(`src/core/${folder}/*.service.ts`).map((file) => readFileSync(file, 'utf8')),
    );
    const thrown = intake.flatMap((text) =>
      [...text.matchAll(/new GatewayError\('([A-Z_]+)'/g)].map(([, code]) => code!),
    );
    const named = new Set(codeIn(section('One message, start to finish')));
    const ofUploads = [
      'MEDIA_TOO_LARGE',
      'MEDIA_TYPE_NOT_ALLOWED',
      'PAYLOAD_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'QUOTA_EXCEEDED',
    ];
    expect([...new Set(thrown)].filter((code) => !named.has(code) && !ofUploads.includes(code))).toEqual([]);
  });

  it('names for teams only what the package exports', () => {
    const rows = [...section('Extending').matchAll(/^\| [^|]+ \| ([^|]*) \| ([^|]*) \|$/gm)].slice(2);
    const cells = rows.map(([, here, forTeams]) => (forTeams === 'the same' ? here! : forTeams!));
    const named = cells.flatMap((cell) => codeIn(cell)).flatMap((code) => /^@?([A-Za-z]+)/.exec(code)?.[1] ?? []);
    expect(named).toContain('MemoryConnectionsService');
    const exported = readFileSync('src/index.ts', 'utf8');
    const ofNest = ['SubscribeMessage', 'WebSocketGateway', 'vendor'];
    const missing = named.filter((name) => !ofNest.includes(name) && !new RegExp(`\\b${name}\\b`).test(exported));
    // `section.js` is exported as a whole.
    expect(missing.filter((name) => name !== 'defineSettings')).toEqual([]);
  });

  it('lists the phases of start and stop in their order', () => {
    const rows = [...section('Start and stop').matchAll(/^\| (?:start|stop)[^|]*\| ([^|]+) \|/gm)].map(([, cell]) =>
      codeIn(cell!).filter((code) => code !== 'ready'),
    );
    expect(rows).toEqual([
      [...START_PHASES.beforeListening],
      [...START_PHASES.listening],
      [...STOP_PHASES.listening],
      [...STOP_PHASES.notListening],
    ]);
  });

  it('is right that no part but core/lifecycle has a Nest lifecycle hook', () => {
    const hooks =
      /\b(onModuleInit|onApplicationBootstrap|onModuleDestroy|beforeApplicationShutdown|onApplicationShutdown)\s*\(/;
    const others = sources.filter((file) => !file.startsWith('src/core/lifecycle/'));
    expect(others.filter((file) => hooks.test(readFileSync(file, 'utf8')))).toEqual([]);
  });

  it('is right that the core encodes no frame and knows no envelope', () => {
    const wire = /from '(\.\.\/)+protocol\/(codec|encode|envelope|inbound|outbound)\.js'/;
    const core = sources.filter((file) => file.startsWith('src/core/'));
    expect(core.filter((file) => wire.test(readFileSync(file, 'utf8')))).toEqual([]);
  });

  it('draws every status that a stored message can have', () => {
    const drawn = new Set(
      [...section('What a crash leaves').matchAll(/^ {2}(\w+|\[\*\]) --> (\w+)/gm)].map(([, , to]) => to!),
    );
    expect(MessageStatus.enum.filter((status) => !drawn.has(status))).toEqual([]);
  });

  it('is right that every module file opens with the promises of its part and what it refuses to know', () => {
    const modules = sources.filter((file) => file.endsWith('.module.ts'));
    const without = modules.filter(
      (file) => !/^\/\/ Promises: .*\n?(\/\/ )?[^]*?Refuses to know: /.test(readFileSync(file, 'utf8')),
    );
    expect(without).toEqual([]);
  });
});
