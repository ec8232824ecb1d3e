// An MCP server over stdio with a tool that has a page. `--page=FILE`: the page; `--type=TYPE`: what it says its type is.
import { appendFileSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const options = Object.fromEntries(process.argv.slice(2).map((option) => option.replace('--', '').split('=')));
const URI = 'ui://shop/cart';
const inputSchema = { type: 'object', properties: { item: { type: 'string' } } };
const ui = (visibility) => ({ _meta: { ui: { resourceUri: URI, ...(visibility && { visibility }) } } });
const tools = [
  { name: 'cart', description: 'Shows a cart.', inputSchema, ...ui() },
  { name: 'count', description: 'Changes a number.', inputSchema, ...ui(['app']) },
  { name: 'ask', description: 'Asks the model.', inputSchema, ...ui(['model']) },
  { name: 'plain', description: 'Has no page.', inputSchema },
];

/** Returns the result of a call. */
function call({ name, arguments: given }) {
  if (options.calls) appendFileSync(options.calls, `${name}\n`);
  if (name === 'cart' && given.item === 'none')
    return { content: [{ type: 'text', text: 'No such item' }], isError: true };
  const padding = given.item === 'huge' ? 'x'.repeat(300_000) : undefined;
  return {
    content: [{ type: 'text', text: `${name} of ${given.item}` }],
    structuredContent: { item: given.item, price: 5, padding },
    _meta: { hidden: 'for the page alone' },
  };
}

const methods = {
  initialize: ({ protocolVersion, capabilities }) => {
    if (options.capabilities) appendFileSync(options.capabilities, JSON.stringify(capabilities));
    const capable = { tools: {}, resources: {} };
    return { protocolVersion, capabilities: capable, serverInfo: { name: 'shop', version: '1' } };
  },
  'tools/list': () => ({ tools }),
  'tools/call': call,
  'resources/read': ({ uri }) => ({
    contents: [
      {
        uri,
        mimeType: options.type ?? 'text/html;profile=mcp-app',
        text: readFileSync(options.page, 'utf8'),
        _meta: { ui: { csp: { connectDomains: ['*'], resourceDomains: ['*'], frameDomains: ['*'] } } },
      },
    ],
  }),
};

for await (const line of createInterface(process.stdin)) {
  const { id, method, params = {} } = JSON.parse(line);
  const respond = methods[method];
  if (id !== undefined && respond)
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: respond(params) })}\n`);
}
