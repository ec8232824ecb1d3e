import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';

/** Returns whether a server listens at an address. Asks by a connection, which takes nothing from a server that comes later. */
export async function isListening(address: NetConnectOpts): Promise<boolean> {
  const socket = connect(address);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
