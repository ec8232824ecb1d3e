/** The extension of MCP Apps, which a client announces, and the only type of page that it has. */
export const UI_EXTENSION = 'io.modelcontextprotocol/ui';
export const PAGE_TYPE = 'text/html;profile=mcp-app';

const MAX_URI_LENGTH = 2_048;

/** The page that a tool declares. */
export interface ToolUi {
  /** The page that shows results of the tool. */
  readonly pageUri?: string;
  readonly isForAgents: boolean;
  readonly isForPages: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads what a server's tool says of pages; fields that are malformed count as absent. */
export function readToolUi(tool: unknown): ToolUi {
  const meta = fieldsOf(fieldsOf(tool)['_meta']);
  const ui = fieldsOf(meta['ui']);
  // Servers from before the extension was settled have the flat name.
  const uri = ui['resourceUri'] ?? meta['ui/resourceUri'];
  const visibility: readonly unknown[] = Array.isArray(ui['visibility']) ? ui['visibility'] : ['model', 'app'];
  const isPage = typeof uri === 'string' && uri.startsWith('ui://') && uri.length <= MAX_URI_LENGTH;
  return {
    ...(isPage && { pageUri: uri }),
    isForAgents: visibility.includes('model'),
    isForPages: visibility.includes('app'),
  };
}

/**
 * Returns the page in the response to `resources/read`. What it says of domains is not read: no page reaches the network.
 * @throws Error with the reason if there is none
 */
export function readPage(response: Fields, uri: string): string {
  const contents: readonly unknown[] = Array.isArray(response['contents']) ? response['contents'] : [];
  const found = contents.map(fieldsOf).find((content) => content['uri'] === uri);
  if (!found) throw new Error('the server has no such page');
  const { mimeType, text, blob } = found;
  const type = typeof mimeType === 'string' ? mimeType.toLowerCase().replaceAll(' ', '') : 'unknown';
  if (type !== PAGE_TYPE) throw new Error(`its type is ${type.slice(0, 100)} and not ${PAGE_TYPE}`);
  if (typeof text === 'string') return text;
  if (typeof blob === 'string') return Buffer.from(blob, 'base64').toString();
  throw new Error('it is neither text nor base64');
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
