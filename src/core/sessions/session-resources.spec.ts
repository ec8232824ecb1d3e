import { beforeEach, describe, expect, it } from 'vitest';
import { KeptLogs } from '../../testing/kept-logs.js';
import type { Session, SessionStore } from '../store/index.js';
import { LocalSessionResources } from './local-session-resources.service.js';
import type { ResourceKind } from './session-resources.js';

/** The sessions in the store. */
const alive = new Set<string>();
let lookedUp = 0;
const sessions = {
  findSession: async (id: string) => {
    lookedUp++;
    return alive.has(id) ? ({ id } as Session) : undefined;
  },
} as SessionStore;

/** A kind whose resources live in this process, such as a browser. */
class Browsers implements ResourceKind<string> {
  readonly name = 'browser';
  readonly story: string[] = [];

  async open(sessionId: string): Promise<string> {
    this.story.push(`open ${sessionId}`);
    return `browser of ${sessionId}`;
  }

  async close(browser: string): Promise<void> {
    this.story.push(`close the ${browser}`);
  }
}

/** A kind that outlives the process, such as a folder. */
class Folders implements ResourceKind<string> {
  readonly name = 'folder';
  readonly story: string[] = [];
  readonly kept = new Set<string>();
  removal: Promise<void> = Promise.resolve();

  async open(sessionId: string): Promise<string> {
    this.story.push(`open ${sessionId}`);
    this.kept.add(sessionId);
    return sessionId;
  }

  readonly durable = {
    list: async () => [...this.kept],
    remove: async (sessionId: string) => {
      this.story.push(`remove ${sessionId}`);
      await this.removal;
      this.kept.delete(sessionId);
    },
  };
}

let logs: KeptLogs;
let resources: LocalSessionResources;
beforeEach(() => {
  alive.clear();
  lookedUp = 0;
  logs = new KeptLogs();
  resources = new LocalSessionResources(sessions, logs);
});

const nothing = async () => {};

describe('resources of a session', () => {
  it('are created on first use, once for any number of users', async () => {
    const browsers = new Browsers();
    const kept = resources.register(browsers);
    expect(browsers.story).toEqual([]);
    const used = await Promise.all([1, 2].map(() => kept.use('s_a', async (browser) => browser)));
    await kept.use('s_a', nothing);
    await kept.use('s_b', nothing);
    expect(used).toEqual(['browser of s_a', 'browser of s_a']);
    expect(browsers.story).toEqual(['open s_a', 'open s_b']);
  });

  it('are created again after a failure', async () => {
    let attempts = 0;
    const kept = resources.register({
      name: 'fickle',
      open: async () => {
        if (++attempts === 1) throw new Error('no luck');
        return attempts;
      },
    });
    await expect(kept.use('s_a', nothing)).rejects.toThrow('no luck');
    expect(await kept.use('s_a', async (attempt) => attempt)).toBe(2);
  });

  it('end when their session is no longer in the store, and not before', async () => {
    const [browsers, folders] = [new Browsers(), new Folders()];
    const [browser, folder] = [resources.register(browsers), resources.register(folders)];
    alive.add('s_a').add('s_b');
    for (const id of alive) await Promise.all([browser.use(id, nothing), folder.use(id, nothing)]);
    await resources.sweep();
    expect(folders.kept).toEqual(new Set(['s_a', 's_b']));
    alive.delete('s_a');
    await resources.sweep();
    expect(browsers.story.at(-1)).toBe('close the browser of s_a');
    expect(folders.kept).toEqual(new Set(['s_b']));
  });

  it('end when an earlier process left them and their session is gone', async () => {
    const folders = new Folders();
    folders.kept.add('s_left');
    resources.register(folders);
    await resources.sweep();
    expect(folders.story).toEqual(['remove s_left']);
  });

  it('end on request', async () => {
    const folders = new Folders();
    alive.add('s_a');
    await resources.register(folders).use('s_a', nothing);
    await resources.end('s_a');
    expect(folders.kept.size).toBe(0);
  });

  it('are not ended while they are in use', async () => {
    const folders = new Folders();
    const release = Promise.withResolvers<void>();
    const using = resources.register(folders).use('s_a', () => release.promise);
    await resources.sweep();
    expect(folders.kept).toEqual(new Set(['s_a']));
    release.resolve();
    await using;
    await resources.sweep();
    expect(folders.kept.size).toBe(0);
  });

  it('are created again, and not used half removed, when their session comes back', async () => {
    const folders = new Folders();
    const removal = Promise.withResolvers<void>();
    folders.removal = removal.promise;
    const kept = resources.register(folders);
    await kept.use('s_a', nothing);
    const sweeping = resources.sweep();
    await new Promise((resolve) => setImmediate(resolve));
    const using = kept.use('s_a', nothing);
    removal.resolve();
    await Promise.all([sweeping, using]);
    expect(folders.story).toEqual(['open s_a', 'remove s_a', 'open s_a']);
  });

  it('that cannot be ended are logged and retried by a later sweep', async () => {
    const folders = new Folders();
    folders.kept.add('s_a').add('s_b');
    folders.removal = Promise.reject(new Error('no luck'));
    folders.removal.catch(() => {});
    resources.register(folders);
    await resources.sweep();
    expect(logs.lines).toEqual(Array(2).fill('warn a resource of a session could not be ended'));
    folders.removal = Promise.resolve();
    await resources.sweep();
    expect(folders.kept.size).toBe(0);
  });

  it('are checked in bounded numbers', async () => {
    const folders = new Folders();
    for (let i = 0; i < 1_200; i++) folders.kept.add(`s_${i}`);
    resources.register(folders);
    for (const expected of [500, 1_000, 1_200]) {
      await resources.sweep();
      expect(lookedUp).toBe(expected);
    }
    expect(folders.kept.size).toBe(0);
  });

  it('are closed when the gateway stops, and durable ones stay', async () => {
    const [browsers, folders] = [new Browsers(), new Folders()];
    await resources.register(browsers).use('s_a', nothing);
    await resources.register(folders).use('s_a', nothing);
    await resources.closeAll();
    expect(browsers.story.at(-1)).toBe('close the browser of s_a');
    expect(folders.story).toEqual(['open s_a']);
  });

  it('have a unique name for each kind', () => {
    resources.register(new Browsers());
    expect(() => resources.register(new Browsers())).toThrow('The session resource "browser" is registered twice');
  });
});
