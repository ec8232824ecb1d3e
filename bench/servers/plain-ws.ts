/** The baseline: `ws` alone, which parses and acknowledges messages and stores nothing. */
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });

/** The command to which the gateway's built-in agent replies with that many blocks. */
const BURST = '/blocks ';

function acknowledgement(id: string): object {
  return {
    type: 'message_ack',
    id: `a-${id}`,
    timestamp: Date.now(),
    correlation_id: id,
    payload: { id, status: 'queued' },
  };
}

/** Sends to many readers naively: every frame is encoded again for each. */
function fanOut(blocks: number): void {
  for (let seq = 1; seq <= blocks; seq++) {
    for (const client of server.clients) client.send(JSON.stringify(block(seq)));
  }
}

/** Builds a block as long as the gateway's. */
function block(seq: number): object {
  const payload = {
    message_id: 'burst-0',
    message_ref: 'm_0123456789abcdef',
    attempt: 1,
    index: seq,
    block_id: `b_${seq}`,
    block_type: 'text',
    content: `block ${seq}`,
  };
  return {
    type: 'stream_block',
    id: `f_s_0123456789abcdef0123456789abcdef_${seq}`,
    timestamp: Date.now(),
    session_id: 's_0123456789abcdef0123456789abcdef',
    seq,
    correlation_id: 'burst-0',
    payload,
  };
}

server.on('connection', (socket) => {
  socket.on('message', (bytes: Buffer) => {
    const { id, payload } = JSON.parse(bytes.toString()) as { id: string; payload: { content: string } };
    if (payload.content.startsWith(BURST)) return fanOut(Number(payload.content.slice(BURST.length)));
    socket.send(JSON.stringify(acknowledgement(id)));
  });
});

server.on('listening', () =>
  process.stdout.write(`ready at http://127.0.0.1:${(server.address() as AddressInfo).port}\n`),
);
