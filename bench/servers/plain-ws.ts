/** The yardstick: `ws` alone, which parses a message and acknowledges it, and keeps nothing. */
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });

server.on('connection', (socket) => {
  socket.on('message', (bytes: Buffer) => {
    const { id } = JSON.parse(bytes.toString()) as { id: string };
    socket.send(JSON.stringify({ type: 'message_ack', id: `a-${id}`, timestamp: Date.now(), correlation_id: id, payload: { id, status: 'queued' } }));
  });
});

server.on('listening', () => process.stdout.write(`ready at http://127.0.0.1:${(server.address() as AddressInfo).port}\n`));
