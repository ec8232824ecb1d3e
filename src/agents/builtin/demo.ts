import type { AgentEvent } from '../../core/turns/agent-runtime.js';

/** A red dot, eight by eight. */
const IMAGE =
  'data:image/svg+xml;base64,' +
  Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><circle cx="4" cy="4" r="4" fill="#d33"/></svg>',
  ).toString('base64');

/** A tenth of a second of silence: a WAV header and 800 samples of 8 bits. */
function silence(): string {
  const samples = 800;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + samples, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(8_000, 24);
  header.writeUInt32LE(8_000, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write('data', 36);
  header.writeUInt32LE(samples, 40);
  return `data:audio/wav;base64,${Buffer.concat([header, Buffer.alloc(samples, 128)]).toString('base64')}`;
}

/** Yields one block of each type that needs no tool. The first three are text, as from a model. */
export function* demoEvents(): Generator<AgentEvent> {
  yield { type: 'text', text: 'A paragraph of plain text.\n\n' };
  yield { type: 'text', text: '## Markdown\nwith *emphasis* and a [link](https://example.org).\n\n' };
  yield { type: 'text', text: '```ts\nconst answer = 42;\n```\n' };
  yield {
    type: 'piece',
    piece: { blockType: 'canvas', text: JSON.stringify({ title: 'Canvas', elements: [] }), ends: true },
  };
  yield {
    type: 'piece',
    piece: { blockType: 'image', text: IMAGE, ends: true, metadata: { mime_type: 'image/svg+xml', alt: 'A red dot' } },
  };
  yield {
    type: 'piece',
    piece: { blockType: 'audio', text: silence(), ends: true, metadata: { mime_type: 'audio/wav', alt: 'Silence' } },
  };
  yield { type: 'piece', piece: { blockType: 'status', text: 'That was one block of each type.', ends: true } };
}
