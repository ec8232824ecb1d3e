import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.js';
import { installPackage, type Installation } from '../support/installation.js';

const MAX_PACKAGES = 100;
const MAX_MEGABYTES = 120;

let installation: Installation;
let gateway: GatewayProcess | undefined;

beforeAll(() => {
  installation = installPackage();
});
afterEach(() => gateway?.end());
afterAll(() => rmSync(installation.folder, { recursive: true }));

const listFiles = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** Runs a program in the folder of the installation and returns what it printed. */
const run = (program: string) =>
  execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: installation.folder,
    encoding: 'utf8',
  }).trim();

describe('the packed package in a folder of its own', () => {
  it(`weighs at most ${MAX_MEGABYTES} MB in at most ${MAX_PACKAGES} packages, without telemetry and without a Node`, () => {
    const files = installation.packages.flatMap((path) => listFiles(realpathSync(join(installation.folder, path))));
    // What a file takes on a disk with blocks of 4 KiB.
    const bytes = files.reduce((sum, file) => sum + Math.ceil(statSync(file).size / 4_096) * 4_096, 0);

    expect(installation.packages.length).toBeLessThanOrEqual(MAX_PACKAGES);
    expect(bytes / 1_048_576).toBeLessThanOrEqual(MAX_MEGABYTES);
    expect(files.filter((file) => /@scarf|swagger-ui-dist|node_modules\/node-/.test(file))).toEqual([]);
  });

  it('finds every package that one of its files imports', () => {
    const folder = join(installation.folder, 'node_modules/openclaw-gateway-nest/dist/bundle/gateway');
    // The programs run when they are imported, and the suites need the test runner of who uses them.
    const names = readdirSync(folder).filter((name) => /(?<!^main|^sqlite\.worker|^testing.*)\.js$/.test(name));
    const urls = names.map((name) => pathToFileURL(join(folder, name)).href);

    expect(names.length).toBeGreaterThan(10);
    expect(
      run(`const failed = [];
        for (const url of ${JSON.stringify(urls)}) await import(url).catch((error) => failed.push(url + error));
        console.log(failed.join());
        // A module may fail later, and then ends the process.
        setTimeout(() => process.exit(), 100);`),
    ).toBe('');
    expect(
      names.filter((name) => /\b__(dir|file)name\b/.test(readFileSync(join(folder, name), 'utf8'))),
      'chunks are ES modules, which do not have these',
    ).toEqual([]);
  });

  it('offers one copy of each class at all of its entry points', () => {
    const program = `import * as client from 'openclaw-gateway-nest/client';
      import * as protocol from 'openclaw-gateway-nest/protocol';
      console.log(client.GatewayError === protocol.GatewayError);`;

    expect(run(program)).toBe('true');
  });

  it('types the client with ES2022 and the DOM alone', () => {
    const source = join(installation.folder, 'client.ts');
    writeFileSync(
      source,
      `import { GatewayClient } from 'openclaw-gateway-nest/client';
      const client = new GatewayClient({ url: 'ws://127.0.0.1:18789', stream: 'delta' });
      await client.connect();
      for await (const event of client.send({ channel: 'example', sender: 'ann', content: 'Hello' })) console.log(event);`,
    );
    const program = ts.createProgram([source], {
      noEmit: true,
      strict: true,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
      module: ts.ModuleKind.NodeNext,
      types: [],
    });
    // To check also the types of the DOM and of dependencies takes ten times as long.
    const isOwn = /(?<!dist)\/client\.ts$|\/openclaw-gateway-nest\//;
    const files = program.getSourceFiles().filter(({ fileName }) => process.env['LONG'] || isOwn.test(fileName));
    const faults = [program.getOptionsDiagnostics(), ...files.map((file) => ts.getPreEmitDiagnostics(program, file))];

    expect(files.length).toBeGreaterThan(10);
    expect(faults.flat().map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
  });

  it('loads no package with the client', () => {
    const program = `import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ resolve: (name, context, next) => (loaded.push(name), next(name, context)) });
      const client = 'openclaw-gateway-nest/client';
      await import(client);
      console.log(loaded.filter((name) => !name.startsWith('.') && name !== client).join());`;

    expect(run(program)).toBe('');
  });

  it('serves the documents and their page', async () => {
    gateway = new GatewayProcess({ folder: installation.folder, command: installation.command });
    const url = `http://127.0.0.1:${await gateway.port}`;
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
      paths: object;
      components: { schemas: Readonly<Record<string, { properties?: object }>> };
    };

    expect(Object.keys(document.paths)).toContain('/health');
    expect(Object.keys(document.components.schemas['ChangeConfigDto']?.properties ?? {})).not.toEqual([]);
    for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js', ''])
      expect((await fetch(`${url}/docs/${name}`)).status, name).toBe(200);
    expect((await fetch(`${url}/chat`)).status).toBe(200);
  });

  it('comes with the licence of every package that it contains', () => {
    const licenses = join(installation.folder, 'node_modules/openclaw-gateway-nest/dist/THIRD_PARTY_LICENSES');
    const text = readFileSync(licenses, 'utf8');

    for (const name of [
      'openai',
      '@anthropic-ai/sdk',
      '@modelcontextprotocol/sdk',
      'express',
      'dockerode',
      'pino',
      'swagger-ui-dist',
    ])
      expect(text).toMatch(new RegExp(`^${name} \\d`, 'm'));
  });
});
