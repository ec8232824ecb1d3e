/**
 * Who may import whom: section "The house" of ARCHITECTURE.md as rules. `npm run lint` checks them.
 *
 * A new folder of `src/core` must be given its place in CORE_ORDER, a new folder beside it its name in EDGES; until
 * then its imports are refused.
 */

/** Lowest first: a folder of `src/core` imports those of earlier rows only, and none of its own row. */
const CORE_ORDER = [
  ['time', 'telemetry', 'failpoints', 'cache'],
  ['phase'],
  ['store'],
  ['replicas', 'lifecycle'],
  ['audit'],
  ['broker'],
  ['config'],
  ['identity', 'reach'],
  ['agents'],
  ['skills'],
  ['presence', 'delivery', 'sessions'],
  ['limits'],
  ['media'],
  ['canvas'],
  ['queue'],
  ['intake', 'questions'],
  ['cron'],
  ['tools'],
  ['approvals'],
  ['turns'],
  ['connections'],
  ['channels', 'nodes'],
  ['housekeeping'],
];

/** The folders beside `core`. They do not import each other. */
const EDGES = [
  'websocket',
  'sockets',
  'http',
  'auth',
  'agents',
  'channels',
  'driver',
  'tools',
  'stores',
  'admin',
  'health',
  'telemetry',
  'media',
  'mcp',
  'tailscale',
  'cli',
];

/** Folders that every edge may import. */
const CENTRE = ['core', 'protocol', 'auth', 'http', 'sockets', 'client'];

/** Packages of the core: Nest's dependency injection, schemas, YAML, cron expressions and file type detection. No sockets, no SQL, no vendor SDK. */
const CORE_PACKAGES = [
  'croner',
  'file-type',
  '@nestjs/common',
  '@nestjs/core',
  'reflect-metadata',
  'rxjs',
  'typebox',
  'yaml',
];
const IO_MODULES = [
  'net',
  'tls',
  'dgram',
  'dns',
  'http',
  'https',
  'http2',
  'sqlite',
  'child_process',
  'cluster',
  'worker_threads',
];

const TESTS = '\\.(e2e-)?spec\\.ts$';
/** The part of the contract that does not depend on frames. */
const DOMAIN = '^src/protocol/(domain|blocks|canvas|errors|log|messages|nodes|fields|faults|text|code-points)\\.ts$';
const TESTING = '^src/testing/';
const ROOT_FILES = '^src/[^/]+\\.ts$';
const oneOf = (names) => `(${names.join('|')})`;
const npm = (names) => `(^|/)node_modules/(@types/)?${oneOf(names)}(/|$)`;

const coreRules = CORE_ORDER.flatMap((row, rank) =>
  row.map((folder) => ({
    name: `core-order-${folder}`,
    comment: `src/core/${folder} imports only folders of src/core that stand before it in the order.`,
    severity: 'error',
    from: { path: `^src/core/${folder}/`, pathNot: TESTS },
    to: { path: '^src/core/', pathNot: `^src/core/${oneOf([folder, ...CORE_ORDER.slice(0, rank).flat()])}/` },
  })),
);

const edgeRules = EDGES.map((folder) => ({
  name: `star-${folder}`,
  comment: `src/${folder} imports core, protocol, auth, http, sockets and client, but no other folder beside core.`,
  severity: 'error',
  from: { path: `^src/${folder}/`, pathNot: TESTS },
  to: {
    path: '^src/[^/]+/',
    pathNot: `^src/${oneOf([folder, ...CENTRE])}/`,
  },
}));

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A circle, also one of types, means that two parts are one part or that a seam is missing.',
      severity: 'error',
      from: { pathNot: TESTS },
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'Every import leads somewhere. What is imported from the build is there once it was made.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '(^|/)dist/|^openclaw-gateway-nest(/|$)' },
    },
    {
      name: 'protocol-alone',
      comment: 'The wire contract imports TypeBox and itself: it is shared with browsers and with other programs.',
      severity: 'error',
      from: { path: '^src/protocol/', pathNot: TESTS },
      to: { pathNot: ['^src/protocol/', npm(['typebox'])] },
    },
    {
      name: 'client-alone',
      comment:
        'The client imports the wire contract only, and of it nothing that compiles validators: it runs in a browser.',
      severity: 'error',
      from: { path: '^src/client/', pathNot: [TESTS, '^src/client/node/folder-storage\\.ts$'] },
      to: { pathNot: ['^src/client/', '^src/protocol/(?!(codec|faults)\\.ts)'] },
    },
    {
      name: 'core-imports-no-edge',
      comment:
        'The core knows the wire contract and itself; whatever touches the world outside implements one of its ports.',
      severity: 'error',
      from: { path: '^src/core/', pathNot: TESTS },
      to: { path: '^src/', pathNot: ['^src/core/', '^src/protocol/'] },
    },
    {
      name: 'core-speaks-no-wire',
      comment:
        'Of the contract the core knows messages, blocks, the log and errors (domain.ts), how to validate a payload and a text, how to fold a log and how to show foreign text; no envelope, no codec.',
      severity: 'error',
      from: { path: '^src/core/', pathNot: TESTS },
      to: { path: '^src/protocol/', pathNot: '^src/protocol/(domain|faults|text|reply-state|visible-text)\\.ts$' },
    },
    {
      name: 'domain-speaks-no-wire',
      comment: 'The part of the contract that the core knows imports none of the rest.',
      severity: 'error',
      from: { path: DOMAIN },
      to: { path: '^src/protocol/', pathNot: [DOMAIN, '^src/protocol/constants\\.ts$'] },
    },
    {
      name: 'core-packages',
      comment: 'No sockets, no SQL, no vendor SDK in the core.',
      severity: 'error',
      from: { path: '^src/core/', pathNot: TESTS },
      to: { path: 'node_modules/', pathNot: npm(CORE_PACKAGES) },
    },
    {
      name: 'core-no-io',
      comment: 'No sockets, no SQL, no processes in the core.',
      severity: 'error',
      from: { path: '^src/core/', pathNot: TESTS },
      to: { path: `^(node:)?${oneOf(IO_MODULES)}$` },
    },
    {
      name: 'core-folder-has-a-place',
      comment: 'A folder of src/core must stand in CORE_ORDER.',
      severity: 'error',
      from: { path: '^src/core/[^/]+/', pathNot: `^src/core/${oneOf(CORE_ORDER.flat())}/` },
      to: {},
    },
    ...coreRules,
    {
      name: 'edge-has-a-name',
      comment: 'A folder beside core must stand in EDGES.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/${oneOf([...EDGES, 'core', 'protocol', 'client', 'testing'])}/` },
      to: {},
    },
    ...edgeRules,
    {
      name: 'markdown-for-drivers',
      comment: 'Only the markup of a platform needs the parser of Markdown, so only its driver loads it.',
      severity: 'error',
      from: { path: '^src/', pathNot: [TESTS, '^src/channels/(markdown/|[^/]+/markup\\.ts$)'] },
      to: { path: '^src/channels/markdown/' },
    },
    {
      name: 'composition-is-the-top',
      comment:
        'gateway.module.ts and its neighbours put the parts together; only the command line, they themselves and tests import them.',
      severity: 'error',
      from: { path: '^src/', pathNot: [TESTS, TESTING, ROOT_FILES, '^src/cli/'] },
      to: { path: ROOT_FILES },
    },
    {
      name: 'main-is-the-very-top',
      comment: 'main.ts starts the process and leaves the rest to run-gateway.ts; nothing imports it.',
      severity: 'error',
      from: { path: '^src/main\\.ts$' },
      to: { path: '^src/', pathNot: '^src/run-gateway\\.ts$' },
    },
    {
      name: 'nothing-imports-main',
      comment: 'Importing main.ts would start a gateway.',
      severity: 'error',
      from: {},
      to: { path: '^src/main\\.ts$' },
    },
    {
      name: 'testing-is-for-tests',
      comment: 'What is published for tests is imported by tests and by benchmarks only.',
      severity: 'error',
      from: { pathNot: [TESTS, TESTING, '^test/', '^bench/'] },
      to: { path: TESTING },
    },
    {
      name: 'nothing-imports-tests',
      comment: 'A spec file is an end, not a library.',
      severity: 'error',
      from: {},
      to: { path: TESTS },
    },
    {
      name: 'declared-packages',
      comment:
        'Every package is named in package.json: in "dependencies" when a team may import it too, else in devDependencies and bundled.',
      severity: 'error',
      from: { path: '^src/', pathNot: [TESTS, TESTING] },
      to: {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
      },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    // Types count: a port that imports an implementer's type depends on it.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|src/web)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
