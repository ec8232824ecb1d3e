import { afterEach, describe, expect, it } from 'vitest';
import { CoreHarness } from './core-harness.js';
import { FakeReader } from './fake-reader.js';
import { selectTestStore, TEST_STORES, type CreateTestStore } from './test-stores.js';

const stores = Object.entries<CreateTestStore>(TEST_STORES);

let harness: CoreHarness;
afterEach(() => harness.stop());

describe.each(stores)('the core on the store "%s"', (_name, store) => {
  it('answers a message, and stores the conversation', async () => {
    harness = await new CoreHarness({ store }).start();
    const reader = new FakeReader();
    await harness.say(reader, 'a', 'hello');
    expect((await reader.waitForEnd('a')).payload).toMatchObject({ reason: 'stop' });
    expect(await harness.store.countQueue(0)).toMatchObject({ queued: 0, running: 0 });
    const session = await harness.store.findSession(reader.frames.at(-1)?.session_id ?? '');
    expect(session).toMatchObject({ hasSeveralParticipants: false, headSeq: reader.frames.at(-1)?.seq });
  });
});

describe('the selected test store', () => {
  it('is refused when its name is unknown', async () => {
    harness = new CoreHarness();
    await harness.start();
    expect(() => selectTestStore('oracle')).toThrow('no store oracle to test on: memory, file, shared');
  });
});
