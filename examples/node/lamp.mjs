// A device in 40 lines: a lamp with one command, and a button that makes events. It pairs with the code in PAIR, and keeps its
// key and the results of its calls in the folder in FOLDER.
//   PAIR=K7M2P-9QX4T node lamp.mjs
import assert from 'node:assert/strict';
import { CommandError, FolderNodeStorage, NodeClient, pairNode } from 'openclaw-gateway-nest/node';

const url = process.env.OPENCLAW_URL ?? 'http://127.0.0.1:18789';
const storage = new FolderNodeStorage(process.env.FOLDER ?? 'lamp-data');
if (process.env.PAIR) await pairNode({ url, code: process.env.PAIR, name: 'Lamp', storage });

let brightness = 0;
const client = await NodeClient.open({
  url,
  storage,
  commands: [
    {
      name: 'lamp.set',
      description: 'Sets the brightness of the lamp in per cent.',
      parameters: {
        type: 'object',
        properties: { brightness: { type: 'integer', minimum: 0, maximum: 100 } },
        required: ['brightness'],
      },
      // The same call twice has the effect of one.
      idempotent: true,
      run({ brightness: wanted }, { progress }) {
        // The gateway has checked the parameters with the schema above.
        assert.ok(Number.isInteger(wanted));
        if (wanted > 80) throw new CommandError('TOO_HOT', 'this lamp gets too hot above 80 per cent');
        progress('dimming');
        brightness = wanted;
        return { brightness };
      },
    },
  ],
});
assert.ok(client, 'not paired yet: set PAIR to a code of openclaw nodes pair');
client.on('registered', ({ accepted }) => console.log(`${client.nodeId} offers ${accepted.join(', ')}`));
client.on('state', (state) => state.name === 'ended' && console.error(state.error.message));
client.connect();
process.on('SIGUSR2', () => void client.emit('button.pressed', { brightness }));
