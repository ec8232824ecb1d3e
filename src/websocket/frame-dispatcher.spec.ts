import { expect, it } from 'vitest';
import { FrameTypeRegistry } from '../core/connections/frame-type.registry.js';
import { LOCAL_OPERATOR } from '../core/identity/principal.js';
import { GatewayError } from '../protocol/index.js';
import { FrameDispatcher, type DispatchedConnection } from './frame-dispatcher.js';

const messageIn = (content: string, metadata = '{}') =>
  `{"type":"message_in","id":"a","timestamp":1,"payload":{"channel":"test","sender":"ada","content":"${content}","metadata":${metadata}}}`;
const LONG = 'x'.repeat(40_000);

/** Returns what happens to a frame, in order; `elsewhere` stands for work of another connection between the steps. */
async function follow(source: string): Promise<readonly string[]> {
  const events: string[] = [];
  const dispatcher = new FrameDispatcher(new FrameTypeRegistry());
  dispatcher.addDirect('message_in', () => void events.push('handled'));
  const connection = {
    principal: LOCAL_OPERATOR,
    noteValidFrame: () => void events.push('valid'),
    refuse: (error: unknown, request?: { readonly id?: string }) =>
      void events.push(`${GatewayError.from(error).code} ${request?.id}`),
  } as unknown as DispatchedConnection;
  let isOver = false;
  const work = () => {
    if (isOver) return;
    events.push('elsewhere');
    setImmediate(work);
  };
  setImmediate(work);
  await dispatcher.dispatch(connection, source);
  isOver = true;
  return events;
}

it('an ordinary frame is handled in one step', async () => {
  expect(await follow(messageIn('hello'))).toEqual(['valid', 'handled']);
});

it('a large frame is parsed, checked and handled in steps, and other connections have their turn between them', async () => {
  const steps = ['elsewhere', 'valid', 'elsewhere', 'elsewhere', 'handled'];
  expect(await follow(messageIn(LONG))).toEqual(steps);
});

it.each([
  ['that is not an envelope', messageIn(LONG).replace('"timestamp":1', '"timestamp":1.5'), []],
  ['with a forbidden key', messageIn(LONG, '{"constructor":1}'), []],
  ['with a number that is too large', messageIn(LONG, '{"n":1e400}'), []],
  ['with a wrong payload', messageIn(LONG, '1'), ['valid']],
])('a large frame %s is refused as a small one is', async (_, source, before) => {
  const code = before.length > 0 ? 'INVALID_PAYLOAD' : 'INVALID_FRAME';
  for (const text of [source, source.replace(LONG, 'x')]) {
    const events = await follow(text);
    expect(events.filter((event) => event !== 'elsewhere')).toEqual([...before, `${code} a`]);
  }
});
