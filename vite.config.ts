import { basename } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** Files that browsers request and that are text. */
const SERVED = /\.(?:css|html|js|svg)$/;

/** Smaller files gain nothing. */
const WORTH_COMPRESSING = 512;

/** Size in bytes from which a file is compressed less hard. */
const LARGE = 200_000;

/** Builds the web chat (`src/web`) into `dist/web`, from where `src/channels/webchat` serves it. */
export default defineConfig({
  root: 'src/web',
  publicDir: false,
  plugins: [precompress()],
  experimental: { renderBuiltUrl: makeRelative },
  build: {
    outDir: '../../dist/web',
    emptyOutDir: true,
    target: 'es2023',
    // Older ones lack `light-dark()`, which is replaced for them. They are named in docs/guides/web-chat.md.
    cssTarget: ['chrome111', 'firefox115', 'safari16.4'],
    cssMinify: 'lightningcss',
    // Nothing is inlined: the content security policy allows neither scripts nor fonts from data URLs.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    // What is larger is loaded for diagrams only.
    chunkSizeWarningLimit: 2_000,
    rolldownOptions: {
      checks: { bundlerTimings: false },
      // The chat, the page in the frame that draws diagrams, the page for devices, that around an agent's page, and the console.
      input: ['index', 'diagram', 'node', 'canvas', 'console'].map((page) => `src/web/${page}.html`),
      // What the page needs at once is one file, although parts that are loaded later share modules with it.
      output: {
        codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: nameChunk, debugName: 'page' }] },
      },
    },
    license: { fileName: 'licenses.md' },
  },
});

/**
 * Returns the address of a file for what refers to it. A proxy may serve the gateway below a path, so none begins with a
 * slash. The addresses of the pages are `chat`, `chat/diagram`, `node`, `canvas/SURFACE/CAPABILITY` and `console` with
 * places below it, for which the gateway writes the addresses anew; those of the files are `chat/assets/NAME`.
 */
function makeRelative(name: string, { hostType, hostId }: { hostType: string; hostId: string }) {
  if (hostType !== 'html') return { relative: true };
  if (hostId === 'canvas.html') return `../../chat/${name}`;
  return hostId === 'diagram.html' ? name : `chat/${name}`;
}

/** Writes each file a second and a third time, compressed as far as it goes, so that no request has to. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const [fileName, file] of Object.entries(bundle)) {
          const source = Buffer.from(file.type === 'chunk' ? file.code : file.source);
          if (source.length < WORTH_COMPRESSING || !SERVED.test(fileName)) continue;
          // The last per cent of a large file costs seconds of each build.
          const level = source.length > LARGE ? 9 : constants.BROTLI_MAX_QUALITY;
          const quality = { [constants.BROTLI_PARAM_QUALITY]: level };
          this.emitFile({
            type: 'asset',
            fileName: `${fileName}.br`,
            source: brotliCompressSync(source, { params: quality }),
          });
          this.emitFile({ type: 'asset', fileName: `${fileName}.gz`, source: gzipSync(source, { level: 9 }) });
        }
      },
    },
  };
}

/** The imports between modules, from which the name of a chunk is derived. */
interface ModuleGraph {
  getModuleInfo(id: string): {
    readonly isEntry: boolean;
    readonly importers: readonly string[];
    readonly dynamicImporters: readonly string[];
  } | null;
}

/**
 * Returns the chunk of a module that an entry imports, directly or not: one for each set of pages that need it at once, and of
 * pages that load it later. No page may run another one's entry. A module that every page loads later has no name.
 */
function nameChunk(id: string, graph: ModuleGraph): string | null {
  const atOnce = listEntries(id, graph, false);
  if (atOnce.length === 0) return null;
  // A module that the frame needs too must not bring a page along, which would run there.
  if (atOnce.some((name) => !NAMED.has(name))) return null;
  const later = listEntries(id, graph, true).filter((name) => NAMED.has(name) && !atOnce.includes(name));
  return [...atOnce, ...later.map((name) => `later-${name}`)].join('-');
}

/** The pages that have chunks with names. */
const NAMED: ReadonlySet<string> = new Set(['page', 'node', 'console']);

/** Lists the pages that import a module, directly or not. @param withLater those too that load it later */
function listEntries(id: string, graph: ModuleGraph, withLater: boolean): readonly string[] {
  const seen = new Set<string>();
  const entries = new Set<string>();
  const follow = (module: string): void => {
    if (seen.has(module)) return;
    seen.add(module);
    const info = graph.getModuleInfo(module);
    if (info?.isEntry) entries.add(basename(module, '.html'));
    info?.importers.forEach(follow);
    if (withLater) info?.dynamicImporters.forEach(follow);
  };
  follow(id);
  return [...entries].map((name) => (name === 'index' ? 'page' : name)).sort();
}
