// A device whose commands count their effects in a file. It kills itself at the step that DIE_AT names, once.
import { appendFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { FolderNodeStorage, NodeClient, pairNode } from 'openclaw-gateway-nest/node';

const { URL: url, FOLDER: folder, PAIR: code, DIE_AT: fatal } = process.env;

function pass(step) {
  if (step === fatal) process.kill(process.pid, 'SIGKILL');
}

class FatalStorage extends FolderNodeStorage {
  async write(key, value) {
    const step = !key.startsWith('call:') ? 'other' : !value.result ? 'begin' : value.isAcknowledged ? 'ack' : 'end';
    pass(`${step}.before`);
    await super.write(key, value);
    pass(`${step}.after`);
  }
}

const storage = new FatalStorage(folder);
if (code) await pairNode({ url, code, name: 'Counter', storage });

const command = (name, idempotent) => ({
  name,
  description: 'Counts.',
  parameters: { type: 'object' },
  timeoutMs: 30_000,
  idempotent,
  async run(_parameters, { callId }) {
    pass('effect.before');
    appendFileSync(`${folder}/effects.log`, `${name} ${callId}\n`);
    pass('effect.after');
    await setTimeout(20);
    return { callId };
  },
});

const client = await NodeClient.open({ url, storage, commands: [command('once', false), command('again', true)] });
client.on('registered', () => process.stdout.write('registered\n'));
client.connect();
