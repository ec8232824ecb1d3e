/**
 * Bundles the built gateway into a few files that start fast.
 *
 * - `dist/bundle/gateway`: the command and the entry points of the package, as chunks of one build, so that a process
 *   has one copy of every class. What only the gateway uses is in it; what a team may import too (SHARED) is not.
 * - `dist/bundle/shared`: the shared packages, bundled for a process without modules of a team
 *   (`src/cli/bundled-packages.ts`). With such modules, and in an application of a team, the installed packages are
 *   used, which are then the one copy of all.
 * - `dist/THIRD_PARTY_LICENSES`: the licences of what was bundled.
 *
 * At the end it fills the compile cache, `dist/bundle/cache`.
 */
import 'reflect-metadata'; // Modules of Nest need it when they are imported, in whatever order.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type OutputChunk, type Plugin } from 'rolldown';
import { collectLicenses } from './licenses.ts';

const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

/** At the same depth as the bundled modules, so that paths relative to `import.meta.url` stay valid. */
const GATEWAY = path('dist/bundle/gateway');
const SHARED_FOLDER = path('dist/bundle/shared');

/** Packages that a team's modules and applications import too, directly or through Nest. They are `dependencies`. */
const SHARED =
  /^(@opentelemetry\/api|@nestjs\/(common|core|config|platform-ws|websockets)|class-transformer|class-validator|reflect-metadata|rxjs|typebox|ws)(\/|$)/;

/** Imported only by the contract suites, whose users have them installed. */
const TEST_PACKAGES = /^(vitest|fast-check)$/;

/** Optional packages that Nest and others try to load and do without. */
const ABSENT = [
  /^@nestjs\/(microservices|platform-fastify|platform-socket\.io|mongoose|sequelize|typeorm|axios|graphql)/,
  /^@(mikro-orm|fastify|prisma)\//,
  /^(bufferutil|utf-8-validate|cpu-features|ts-morph|typescript|encoding)$/,
  /\.node$/,
];

/** Imports of packages that the gateway does not use, by the package that makes them. */
const UNUSED: Readonly<Record<string, RegExp>> = {
  // It builds no images with BuildKit, for which these bring gRPC and protobufjs.
  dockerode: /^\.\/(session|buildkit)$/,
  // Forms with files.
  '@nestjs/platform-express': /^\.\/multer\/index\.js$/,
  // The rules for telephone numbers of all countries.
  'class-validator': /^libphonenumber-js/,
};

/** Parts of the shared packages that a start does not need. */
const LAZY = /\/node_modules\/(file-type|strtok3|token-types|@tokenizer|@borewit|uint8array-extras|ieee754)\//;

/** Entry points of `package.json`, the two programs, and what is loaded by `require`. */
const ENTRIES = {
  main: path('dist/cli/main.js'),
  'sqlite.check': path('dist/stores/sqlite/file/sqlite.check.js'),
  'sqlite.worker': path('dist/stores/sqlite/thread/sqlite.worker.js'),
  index: path('dist/index.js'),
  client: path('dist/client/index.js'),
  driver: path('dist/run-driver.js'),
  node: path('dist/client/node/index.js'),
  'node-browser': path('dist/client/node/browser.js'),
  protocol: path('dist/protocol/index.js'),
  testing: path('dist/testing/index.js'),
  'testing-contracts': path('dist/testing/contracts.js'),
  'testing-harness': path('dist/testing/harness.js'),
  'testing-store-model': path('dist/testing/store.model.js'),
  'pino-pretty': 'virtual:pino-pretty',
};

/** Replaces `from` in the code of a module. Throws when the module has changed, so that the build is adapted. */
function replaceIn(module: string, code: string, from: RegExp, to: string): string {
  const changed = code.replace(from, to);
  if (changed === code) throw new Error(`${module} has changed: adapt scripts/bundle.ts`);
  return changed;
}

/**
 * The start needs only the decorators of `@nestjs/swagger`, but terminus requires the whole package. The documents
 * themselves are built on request.
 */
const swaggerDecorators: Plugin = {
  name: 'swagger-decorators',
  resolveId(source, importer) {
    if (source !== '@nestjs/swagger' || importer?.endsWith('/http/documents/openapi.js')) return null;
    return fileURLToPath(new URL('./decorators/index.js', import.meta.resolve('@nestjs/swagger')));
  },
  transform(code, id) {
    if (!id.endsWith('/terminus/dist/health-check/health-check.decorator.js')) return null;
    const changed = replaceIn(id, code, /require\(['"]@nestjs\/swagger['"]\)/, 'swaggerDecorators');
    return { code: `import * as swaggerDecorators from '@nestjs/swagger';\n${changed}`, map: { mappings: '' } };
  },
};

/** pino-pretty is loaded by `require` with the first line for a terminal, so it is a separate entry. */
const prettyByRequire: Plugin = {
  name: 'pretty-by-require',
  resolveId: (source) => (source === 'virtual:pino-pretty' ? source : null),
  load: (id) => (id === 'virtual:pino-pretty' ? `export { prettyFactory } from 'pino-pretty';` : null),
  transform(code, id) {
    if (!id.endsWith('/dist/telemetry/pretty-lines.js')) return null;
    return { code: replaceIn(id, code, /\(['"]pino-pretty['"]\)/, "('./pino-pretty.js')"), map: { mappings: '' } };
  },
};

/** Leaves unused parts of packages out of the bundle. */
const unusedParts: Plugin = {
  name: 'unused-parts',
  resolveId(source, importer) {
    const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(importer ?? '')?.[1] ?? '';
    return UNUSED[name]?.test(source) ? 'virtual:unused' : null;
  },
  load: (id) => (id === 'virtual:unused' ? 'export {};' : null),
};

/** `mime-types` compares all types of `mime-db` when it is loaded, to choose one for each extension. */
const mimeTypesAhead: Plugin = {
  name: 'mime-types-ahead',
  transform(code, id) {
    if (!id.endsWith('/node_modules/mime-types/index.js')) return null;
    const { extensions, types } = createRequire(id)(id) as Record<'extensions' | 'types', object>;
    // V8 parses JSON faster than it creates an object from code.
    const assign = (name: string, value: object) =>
      `Object.assign(exports.${name}, JSON.parse(${JSON.stringify(JSON.stringify(value))}));`;
    const filled = assign('extensions', extensions) + assign('types', types);
    return { code: replaceIn(id, code, /^populateMaps\(.*$/m, filled), map: { mappings: '' } };
  },
};

/** Playwright reads its own version and a list of browsers, which it could download, from files beside its code. */
const playwright: Plugin = {
  name: 'playwright',
  transform(code, id) {
    if (id.endsWith('/playwright-core/lib/utilsBundle.js'))
      // A variable of its own and words of a message, which the check of the package takes for the name of CommonJS.
      return { code: replaceIn(id, code, /\b__dirname\b/g, 'ownFolder'), map: { mappings: '' } };
    if (!id.endsWith('/playwright-core/lib/coreBundle.js')) return null;
    const inlined = ['package.json', 'browsers.json'].reduce((text, file) => {
      const reading = new RegExp(`require\\(import_path\\d+\\.default\\.join\\(packageRoot, "${file}"\\)\\)`);
      return replaceIn(id, text, reading, readFileSync(path(`node_modules/playwright-core/${file}`), 'utf8').trim());
    }, code);
    return { code: inlined, map: { mappings: '' } };
  },
};

/** Names of `node:http` without getters, which make Node load more: the web's classes for sockets are those of `undici`. */
const HTTP_NAMES = Object.entries(Object.getOwnPropertyDescriptors(http))
  .filter(([, property]) => 'value' in property)
  .map(([name]) => name);

/** An `import` of `node:http` reads everything that it exports, and so loads `undici`: 60 ms of a start, for nothing. */
const httpWithoutUndici: Plugin = {
  name: 'http-without-undici',
  resolveId: (source, _, { kind }) =>
    /^(node:)?http$/.test(source) && kind === 'import-statement' ? 'virtual:node-http' : null,
  load: (id) =>
    id === 'virtual:node-http'
      ? `const http = process.getBuiltinModule('node:http');
         export default http;
         export const { ${HTTP_NAMES.join(', ')} } = http;`
      : null,
};

/** CommonJS modules may use these at any time after they were loaded, and ES modules, which the chunks are, lack them. */
const COMMONJS_GLOBALS = { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' };

async function bundleGateway(): Promise<OutputChunk[]> {
  const { output } = await build({
    cwd: path(''),
    platform: 'node',
    input: ENTRIES,
    external: [SHARED, TEST_PACKAGES, ...ABSENT],
    plugins: [httpWithoutUndici, swaggerDecorators, prettyByRequire, unusedParts, mimeTypesAhead, playwright],
    transform: { define: COMMONJS_GLOBALS },
    // Playwright's debugger evaluates expressions.
    checks: { eval: false },
    logLevel: 'warn',
    output: {
      dir: GATEWAY,
      format: 'esm',
      sourcemap: true,
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
    },
  });
  return output.filter((file) => file.type === 'chunk');
}

/** Returns every name under which the chunks import a shared package. */
function listSharedImports(chunks: readonly OutputChunk[]): string[] {
  const imports = chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports]);
  return [...new Set([...imports, 'class-transformer'].filter((name) => SHARED.test(name)))].sort();
}

/** Bundles the packages in `names`, and writes the file of each name to `imports.json`. */
async function bundleShared(names: readonly string[]): Promise<OutputChunk[]> {
  const entries = names.map((name) => ({ name, entry: name.replaceAll(/[@./]+/g, '-').replace(/^-/, '') }));
  const reExport: Plugin = {
    name: 're-export',
    resolveId: (source) => (source.startsWith('shared:') ? source : null),
    async load(id) {
      if (!id.startsWith('shared:')) return null;
      const name = id.slice('shared:'.length);
      // Named exports: for a CommonJS module, `export *` would give only the default export.
      const exported = Object.keys((await import(name)) as object).filter((key) => key !== 'module.exports');
      return `import '${name}';\nexport { ${exported.join(', ')} } from '${name}';`;
    },
  };
  const { output } = await build({
    cwd: path(''),
    platform: 'node',
    input: Object.fromEntries(entries.map(({ name, entry }) => [entry, `shared:${name}`])),
    // The gateway always brings its own HTTP adapter.
    external: [/^@nestjs\/platform-express$/, ...ABSENT],
    plugins: [httpWithoutUndici, unusedParts, reExport],
    transform: { define: COMMONJS_GLOBALS },
    logLevel: 'warn',
    output: {
      dir: SHARED_FOLDER,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
      // One chunk for Nest and the rest preserves the execution order of its modules. Commands that only connect to a gateway
      // need only TypeBox and reflect-metadata.
      codeSplitting: {
        groups: [
          { name: 'typebox', test: /\/node_modules\/typebox\// },
          { name: 'reflect', test: /\/node_modules\/reflect-metadata\// },
          { name: 'shared', test: (id) => /\/node_modules\//.test(id) && !LAZY.test(id) },
        ],
      },
    },
  });
  const files = Object.fromEntries(entries.map(({ name, entry }) => [name, `${entry}.js`]));
  writeFileSync(join(SHARED_FOLDER, 'imports.json'), `${JSON.stringify(files, null, 2)}\n`);
  return output.filter((file) => file.type === 'chunk');
}

/** Copies the two files of swagger-ui that the page loads, and returns their source paths. */
function copySwaggerUi(): string[] {
  const swagger = createRequire(import.meta.resolve('@nestjs/swagger'));
  return ['swagger-ui.css', 'swagger-ui-bundle.js'].map((name) => {
    const source = swagger.resolve(`swagger-ui-dist/${name}`);
    cpSync(source, join(GATEWAY, 'swagger-ui', name));
    return source;
  });
}

/** Runs the gateway once, in memory, and stops it gracefully: at exit Node writes its compiled code. */
async function fillCompileCache(): Promise<void> {
  const gateway = spawn(
    process.execPath,
    [path('bin/openclaw.js'), 'start', '--port', '0', '--store', 'sqlite::memory:'],
    {
      cwd: GATEWAY,
      env: { PATH: process.env['PATH'], OPENCLAW_LOG_LEVEL: 'error' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = once(gateway, 'exit');
  await Promise.race([once(gateway.stdout, 'data'), ended]);
  gateway.kill('SIGTERM');
  const [code] = (await ended) as [number | null];
  if (code !== 0)
    process.stderr.write(`the compile cache was not filled (exit code ${code}); the first start fills it\n`);
}

rmSync(path('dist/bundle'), { recursive: true, force: true });
const gateway = await bundleGateway();
const shared = await bundleShared(listSharedImports(gateway));
const bundled = [...gateway, ...shared].flatMap((chunk) => chunk.moduleIds);
writeFileSync(path('dist/THIRD_PARTY_LICENSES'), collectLicenses([...bundled, ...copySwaggerUi()]));
await fillCompileCache();
