import type { CanvasApp } from '../../client/index.js';

/** The version of MCP Apps that is spoken. */
const PROTOCOL_VERSION = '2026-01-26';
/** JSON-RPC. */
const METHOD_NOT_FOUND = -32_601;
const INVALID_PARAMS = -32_602;

type Fields = Readonly<Record<string, unknown>>;

/** The actions of the chat for the page of an MCP server. */
export interface AppHostActions {
  /** Sends a message of JSON-RPC to the page. */
  readonly send: (message: Fields) => void;
  readonly resize: (height: unknown) => void;
  readonly openLink: (url: unknown) => void;
  /** Says a text in the name of the person. Returns false if it is not sent. */
  readonly say: (text: string) => boolean;
}

/**
 * The host of one document of an MCP App: it speaks JSON-RPC with the page, which gets the arguments and the result of the
 * call once it has said that it listens. A page acts only while a person presses something in it.
 */
export class AppHost {
  private isReady = false;

  constructor(
    private readonly app: CanvasApp,
    private readonly actions: AppHostActions,
  ) {}

  /**
   * Takes a message of the page; what is not JSON-RPC is dropped.
   * @param isPressed whether a person has just pressed something in the page
   */
  hear(message: unknown, isPressed: boolean): void {
    if (!isFields(message) || message['jsonrpc'] !== '2.0' || typeof message['method'] !== 'string') return;
    const { id, method } = message;
    const params = isFields(message['params']) ? message['params'] : {};
    if (typeof id === 'string' || typeof id === 'number') this.actions.send(this.answer(id, method, params, isPressed));
    else this.note(method, params);
  }

  private answer(id: string | number, method: string, params: Fields, isPressed: boolean): Fields {
    const done = (result: Fields) => ({ jsonrpc: '2.0', id, result });
    const refuse = (code: number, message: string) => ({ jsonrpc: '2.0', id, error: { code, message } });
    switch (method) {
      case 'ui/initialize':
        return done(describeHost());
      case 'ping':
        return done({});
      case 'ui/request-display-mode':
        return done({ mode: 'inline' });
      case 'ui/open-link':
        if (isPressed) this.actions.openLink(params['url']);
        return done(isPressed ? {} : { isError: true });
      case 'ui/message': {
        const text = readText(params['content']);
        if (text === '') return refuse(INVALID_PARAMS, 'The message has no text');
        return done(isPressed && this.actions.say(text) ? {} : { isError: true });
      }
      default:
        return refuse(METHOD_NOT_FOUND, `Method not found: ${method.slice(0, 100)}`);
    }
  }

  private note(method: string, { height }: Fields): void {
    if (method === 'ui/notifications/size-changed' && typeof height === 'number')
      this.actions.resize(Math.ceil(height));
    // A page that says it twice does not get the result twice.
    if (method !== 'ui/notifications/initialized' || this.isReady) return;
    this.isReady = true;
    const { arguments: given, result } = this.app;
    this.notify('ui/notifications/tool-input', { arguments: given });
    this.notify('ui/notifications/tool-result', result);
  }

  private notify(method: string, params: Fields): void {
    this.actions.send({ jsonrpc: '2.0', method, params });
  }
}

function describeHost(): Fields {
  return {
    protocolVersion: PROTOCOL_VERSION,
    hostInfo: { name: 'openclaw-chat', version: '1' },
    // Pages reach no server, and get no camera: none of what a resource asks for is granted.
    hostCapabilities: { openLinks: {}, message: { text: {} }, sandbox: { permissions: {}, csp: {} } },
    hostContext: {
      theme: 'light',
      displayMode: 'inline',
      availableDisplayModes: ['inline'],
      containerDimensions: { maxHeight: innerHeight },
      locale: navigator.language,
      timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      platform: 'web',
    },
  };
}

/** Returns the texts of a block or a list of blocks. */
function readText(content: unknown): string {
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [content];
  const texts = blocks.map((block) => (isFields(block) && block['type'] === 'text' ? block['text'] : undefined));
  return texts
    .filter((text) => typeof text === 'string')
    .join('\n')
    .trim();
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
