/** Socket.IO, which parses and acknowledges messages and stores nothing. */
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer();
const server = new Server(http, { transports: ['websocket'], serveClient: false });

server.on('connection', (socket) => {
  socket.on('message_in', ({ id }: { readonly id: string }) => {
    socket.emit('message_ack', {
      id: `a-${id}`,
      timestamp: Date.now(),
      correlation_id: id,
      payload: { id, status: 'queued' },
    });
  });
});

http.listen(0, '127.0.0.1', () =>
  process.stdout.write(`ready at http://127.0.0.1:${(http.address() as AddressInfo).port}\n`),
);
