import { describe, expect, it } from 'vitest';
import { ServerEventReader } from './sse.js';

const STREAM =
  ': open\n\nid: a.1\nevent: turn\ndata: {"x":1}\n\n:\nevent: heartbeat\ndata: {}\n\nid: a.2\r\ndata: one\r\ndata: two\r\n\r\n';
const EVENTS = [
  { id: 'a.1', kind: 'turn', data: '{"x":1}' },
  { id: undefined, kind: 'heartbeat', data: '{}' },
  { id: 'a.2', kind: 'message', data: 'one\ntwo' },
];

describe('a stream of events', () => {
  it('is read whole', () => {
    expect(new ServerEventReader().read(STREAM)).toEqual(EVENTS);
  });

  it('is read in pieces that end anywhere, also within the end of a line', () => {
    for (let cut = 1; cut < STREAM.length; cut++) {
      const reader = new ServerEventReader();
      expect([...reader.read(STREAM.slice(0, cut)), ...reader.read(STREAM.slice(cut))]).toEqual(EVENTS);
    }
  });
});
