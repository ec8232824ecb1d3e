// A module of a team with two drivers of the made-up platform, of which one throws where nothing can catch it.
import { EventEmitter } from 'node:events';
import { Module } from '@nestjs/common';
import { ChannelDriver } from 'openclaw-gateway-nest';
import { FakePlatform, PigeonDriver, PlatformApi } from 'openclaw-gateway-nest/testing';

const emitter = new EventEmitter();
const FAULTS = {
  'throws in a timer': () => setTimeout(() => throwFault()),
  'rejects without a reader': () => void Promise.reject(new Error('a fault of an SDK')),
  'throws in a listener': () => (emitter.once('event', throwFault), setTimeout(() => emitter.emit('event'))),
  'rejects in a listener': () =>
    // oxlint-disable-next-line typescript/no-misused-promises -- this fault is the point
    (emitter.once('event', async () => throwFault()), setTimeout(() => emitter.emit('event'))),
};

function throwFault() {
  throw new Error('a fault of an SDK');
}

/** Has each of the faults in one of its runs. */
class FaultyDriver {
  static runs = 0;

  async start() {
    const [name, fail] = Object.entries(FAULTS)[FaultyDriver.runs++ % 4];
    process.stdout.write(`the driver ${name}\n`);
    fail();
  }

  read() {}
  async send() {}
  async stop() {}
}
const capabilities = { edits: false, maxLength: 9, lengthUnit: 'bytes', minEditIntervalMs: { direct: 0, group: 0 } };
ChannelDriver({ name: 'faulty', settings: {}, capabilities })(FaultyDriver);

const platform = new FakePlatform();
export class PlatformModule {}
Module({ providers: [PigeonDriver, FaultyDriver, { provide: PlatformApi, useValue: platform }] })(PlatformModule);

let isWritten = false;
setInterval(() => {
  if (FaultyDriver.runs > 3 && !isWritten) isWritten = platform.write('ann', 'hello') !== undefined;
  for (const text of platform.read('ann').splice(0))
    if (text.includes('hello')) process.stdout.write('ann was answered\n');
}, 20);
