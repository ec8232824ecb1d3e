import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** The encodings that the build produces, best first, each with its file suffix. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

/** A file with its response headers. */
export interface PageFile {
  readonly body: Buffer;
  readonly mediaType: string;
  readonly encoding: 'br' | 'gzip' | undefined;
}

/**
 * The files of the built page. Only files listed in the build's folder are read: a requested name is looked up in that
 * list and never turned into a path.
 */
export class PageFiles {
  private names: Promise<ReadonlySet<string>> | undefined;
  private readonly bodies = new Map<string, Promise<Buffer>>();

  /** `folder`: the build's output folder. */
  constructor(private readonly folder: string) {}

  /** Returns the page itself; undefined when it was not built. */
  findPage(acceptEncoding: string): Promise<PageFile | undefined> {
    return this.find('index.html', acceptEncoding);
  }

  /** Returns the page in the frame that draws diagrams. */
  findDiagramFrame(acceptEncoding: string): Promise<PageFile | undefined> {
    return this.find('diagram.html', acceptEncoding);
  }

  /** Returns the page for devices. */
  findNodePage(acceptEncoding: string): Promise<PageFile | undefined> {
    return this.find('node.html', acceptEncoding);
  }

  /** Returns the console, without an encoding: its addresses depend on where it is served. */
  findConsolePage(): Promise<PageFile | undefined> {
    return this.find('console.html', '');
  }

  /** Returns the page around an agent's page. */
  findCanvasPage(acceptEncoding: string): Promise<PageFile | undefined> {
    return this.find('canvas.html', acceptEncoding);
  }

  /** Returns a file that the page loads, by its name without a folder. */
  findAsset(name: string, acceptEncoding: string): Promise<PageFile | undefined> {
    return this.find(`assets/${name}`, acceptEncoding);
  }

  private async find(name: string, acceptEncoding: string): Promise<PageFile | undefined> {
    const names = await (this.names ??= this.listNames());
    const mediaType = MEDIA_TYPES[extname(name)];
    if (mediaType === undefined || !names.has(name)) return undefined;
    const accepted = readAcceptedEncodings(acceptEncoding);
    const [encoding, suffix = ''] =
      ENCODINGS.find(([known, ending]) => accepted.has(known) && names.has(name + ending)) ?? [];
    return { body: await this.read(name + suffix), mediaType, encoding };
  }

  private async listNames(): Promise<ReadonlySet<string>> {
    const entries = await readdir(this.folder, { recursive: true }).catch(() => []);
    return new Set(entries.map((entry) => entry.replaceAll('\\', '/')));
  }

  private read(name: string): Promise<Buffer> {
    let body = this.bodies.get(name);
    if (!body) this.bodies.set(name, (body = readFile(join(this.folder, name))));
    return body;
  }
}

/** Returns the encodings that a client accepts (RFC 9110 section 12.5.3); a weight of 0 means not accepted. */
function readAcceptedEncodings(header: string): ReadonlySet<string> {
  const offers = header.split(',').map((offer) =>
    offer
      .trim()
      .toLowerCase()
      .split(/\s*;\s*q=/),
  );
  return new Set(offers.filter(([, weight]) => Number(weight ?? 1) > 0).map(([name = '']) => name));
}
