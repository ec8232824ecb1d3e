/**
 * Makes of the built gateway a few files that start fast (`dist/bundle`), and fills the compile cache beside them: a
 * start then finds and compiles a dozen files and not two thousand. Only `openclaw` runs the bundle; whoever imports
 * the package gets the single modules of `dist`, so that there is one copy of every class.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'rolldown';

const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

/** As deep as the modules it is made of, so that what they find beside themselves (`package.json`, pages) is found from there too. */
const OUTPUT = path('dist/bundle/gateway');

/** What Nest tries to load and gets along without, what is loaded only when it is configured, and `ws`, which Nest loads by name: two copies would be two classes. */
const EXTERNAL = [
  /^@nestjs\/(microservices|platform-fastify|platform-socket\.io|mongoose|sequelize|typeorm|axios|graphql)/,
  /^@(mikro-orm|grpc|fastify|earendil-works|modelcontextprotocol)\//,
  /^(ws|dockerode|pino-pretty|ts-morph|bufferutil|utf-8-validate)$/,
];

/**
 * The start needs the decorators of `@nestjs/swagger` and nothing else of it; terminus asks for all of it by `require`.
 * The documents themselves are built when somebody asks for them.
 */
const decoratorsOnly: Plugin = {
  name: 'swagger-decorators-only',
  resolveId(source, importer) {
    if (source !== '@nestjs/swagger' || importer?.endsWith('/http/openapi.js')) return null;
    return fileURLToPath(new URL('./decorators/index.js', import.meta.resolve('@nestjs/swagger')));
  },
  transform(code, id) {
    if (!id.endsWith('/terminus/dist/health-check/health-check.decorator.js')) return null;
    const changed = code.replace(/require\(['"]@nestjs\/swagger['"]\)/, 'swaggerDecorators');
    if (changed === code) throw new Error('terminus asks for @nestjs/swagger in another way: adapt scripts/bundle.ts');
    return { code: `import * as swaggerDecorators from '@nestjs/swagger';\n${changed}`, map: { mappings: '' } };
  },
};

/** Runs the gateway once, in memory, and stops it in good order: at its end Node writes what it has compiled. */
async function fillCompileCache(): Promise<void> {
  const gateway = spawn(
    process.execPath,
    [path('bin/openclaw.js'), 'start', '--port', '0', '--store', 'sqlite::memory:'],
    {
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
await build({
  cwd: path(''),
  platform: 'node',
  input: { main: path('dist/cli/main.js'), 'sqlite.worker': path('dist/stores/sqlite/sqlite.worker.js') },
  external: EXTERNAL,
  plugins: [decoratorsOnly],
  logLevel: 'warn',
  output: {
    dir: OUTPUT,
    format: 'esm',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  },
});
await fillCompileCache();
