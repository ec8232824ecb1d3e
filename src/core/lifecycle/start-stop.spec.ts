import { globSync, readFileSync } from 'node:fs';
import type { DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { KeptLogs } from '../../testing/kept-logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { PhaseService } from '../phase/phase.service.js';
import { StartStopService } from './start-stop.service.js';
import { StartStep, StopStep } from './steps.js';

/** A gateway with the given parts. `bootstrap` and `listen` start it, `stop` stops it. */
function makeGateway(...parts: readonly object[]) {
  const clock = new ManualClock();
  const lifecycle = new PhaseService(clock);
  const logs = new KeptLogs();
  const listen$ = new Subject<void>();
  const discovery = { getProviders: () => parts.map((instance) => ({ instance })) } as unknown as DiscoveryService;
  const service = new StartStopService(discovery, lifecycle, { listen$ } as unknown as HttpAdapterHost, clock, logs);
  return {
    clock,
    lifecycle,
    logs,
    service,
    bootstrap: () => service.onApplicationBootstrap(),
    listen: async () => {
      listen$.next();
      await service.whenReady;
    },
    stop: async () => {
      await service.beforeApplicationShutdown();
      await service.onApplicationShutdown();
    },
  };
}

/** Parts of a small gateway that record their steps in `story`. */
function makeParts(story: string[]) {
  class Store {
    @StartStep({ name: 'store', phase: 'open', undoneIn: 'close' })
    open() {
      story.push('open the store');
      return () => story.push('close the store');
    }
  }
  class Tools {
    @StartStep({ name: 'tools', phase: 'register' })
    register() {
      story.push('register tools');
    }
  }
  class Servers {
    @StartStep({ name: 'a link to a tool server', phase: 'register', after: ['tools'], undoneIn: 'release' })
    link() {
      story.push('link');
      return () => story.push('unlink');
    }
  }
  class Turns {
    @StartStep({ name: 'turns', phase: 'run', undoneIn: 'finish' })
    run() {
      story.push('run turns');
      return () => story.push('finish turns');
    }
  }
  class Connections {
    @StopStep({ name: 'goodbye', phase: 'announce' })
    announce() {
      story.push('say goodbye');
    }
    @StopStep({ name: 'close', phase: 'disconnect' })
    close() {
      story.push('disconnect');
    }
  }
  return [new Store(), new Tools(), new Servers(), new Turns(), new Connections()];
}

describe('the start and the stop', () => {
  it.each(['as imported', 'in reverse'])('run by phase, independent of the order of imports: %s', async (order) => {
    const story: string[] = [];
    const parts = makeParts(story);
    const gateway = makeGateway(...(order === 'in reverse' ? parts.toReversed() : parts));
    await gateway.bootstrap();
    expect(story.splice(0)).toEqual(['open the store', 'register tools', 'link']);
    await gateway.listen();
    expect(story.splice(0)).toEqual(['run turns']);
    await gateway.service.beforeApplicationShutdown();
    expect(story.splice(0)).toEqual(['say goodbye', 'finish turns', 'disconnect']);
    await gateway.service.onApplicationShutdown();
    expect(story).toEqual(['unlink', 'close the store']);
  });

  it('move through all phases', async () => {
    const seen: string[] = [];
    const gateway = makeGateway();
    const note = () => seen.push(gateway.lifecycle.phase);
    note();
    await gateway.bootstrap();
    await gateway.listen();
    note();
    await gateway.service.beforeApplicationShutdown();
    note();
    await gateway.service.onApplicationShutdown();
    note();
    expect(seen).toEqual(['starting', 'ready', 'draining', 'stopped']);
  });

  it('count a provider with several tokens once', async () => {
    const story: string[] = [];
    const [store] = makeParts(story) as [object];
    await makeGateway(store, store).bootstrap();
    expect(story).toEqual(['open the store']);
  });

  it('refuse two steps with one name, and name both owners', async () => {
    class One {
      @StartStep({ name: 'twice', phase: 'run' })
      run() {}
    }
    class Other {
      @StartStep({ name: 'twice', phase: 'open' })
      run() {}
    }
    await expect(makeGateway(new One(), new Other()).bootstrap()).rejects.toThrow(
      'The start step "twice" is declared twice: by One and by Other',
    );
  });

  it('refuse an impossible order', async () => {
    class Lost {
      @StopStep({ name: 'late', phase: 'close', after: ['nothing of this phase'] })
      run() {}
    }
    await expect(makeGateway(new Lost()).bootstrap()).rejects.toThrow(
      'The order of these steps of phase "close" cannot be kept: "late" after ["nothing of this phase"]',
    );
  });
});

describe('a start that fails', () => {
  class Broken {
    @StartStep({ name: 'broken', phase: 'run', after: ['turns'] })
    run() {
      throw new Error('no luck');
    }
  }

  it('undoes the started steps in reverse, and gives the reason', async () => {
    const story: string[] = [];
    const gateway = makeGateway(new Broken(), ...makeParts(story));
    await gateway.bootstrap();
    story.length = 0;
    await expect(gateway.listen()).rejects.toThrow('no luck');
    expect(story).toEqual(['run turns', 'finish turns', 'unlink', 'close the store']);
    expect(gateway.lifecycle.phase).not.toBe('ready');
  });

  it('undoes nothing twice', async () => {
    const story: string[] = [];
    const gateway = makeGateway(new Broken(), ...makeParts(story));
    await gateway.bootstrap();
    await gateway.listen().catch(() => {});
    story.length = 0;
    await gateway.stop();
    expect(story).toEqual(['say goodbye', 'disconnect']);
  });
});

describe('a stop', () => {
  it('does not wait for a step that hangs longer than its limit', async () => {
    const story: string[] = [];
    class Hanging {
      @StopStep({ name: 'hang', phase: 'settle', withinMs: 3_000 })
      stop() {
        return new Promise(() => {});
      }
    }
    const gateway = makeGateway(new Hanging(), ...makeParts(story));
    await gateway.bootstrap();
    const stopping = gateway.stop();
    await gateway.clock.advanceAsync(2_999);
    expect(story).not.toContain('disconnect');
    await gateway.clock.advanceAsync(1);
    await stopping;
    expect(story.slice(-3)).toEqual(['disconnect', 'unlink', 'close the store']);
    expect(gateway.logs.lines).toContain('warn a step of the stop takes too long; continuing without it');
    expect(gateway.clock.pendingTimers).toBe(0);
  });

  it('continues after a step that fails, and fails with its error at the end', async () => {
    const story: string[] = [];
    class Failing {
      @StopStep({ name: 'fail', phase: 'settle' })
      stop() {
        throw new Error('no luck');
      }
    }
    const gateway = makeGateway(new Failing(), ...makeParts(story));
    await gateway.bootstrap();
    await expect(gateway.stop()).rejects.toThrow('no luck');
    expect(story.slice(-2)).toEqual(['unlink', 'close the store']);
  });

  it('hurries running steps', async () => {
    class Slow {
      @StopStep({ name: 'slow', phase: 'finish', withinMs: Infinity })
      stop(hurry: AbortSignal) {
        return new Promise((resolve) => hurry.addEventListener('abort', resolve));
      }
    }
    const gateway = makeGateway(new Slow());
    await gateway.bootstrap();
    const stopping = gateway.stop();
    gateway.service.hurry();
    await stopping;
    expect(gateway.lifecycle.phase).toBe('stopped');
  });

  it('undoes a step that was under way when its phase of the stop passed', async () => {
    const story: string[] = [];
    const migration = Promise.withResolvers<void>();
    class SlowStore {
      @StartStep({ name: 'open slowly', phase: 'open', undoneIn: 'close' })
      async open() {
        await migration.promise;
        return () => story.push('close the slow store');
      }
    }
    const gateway = makeGateway(new SlowStore());
    const starting = gateway.bootstrap();
    await gateway.stop();
    expect(story).toEqual([]);
    migration.resolve();
    await starting;
    expect(story).toEqual(['close the slow store']);
  });

  it('during the start prevents further steps', async () => {
    const story: string[] = [];
    class Early {
      @StartStep({ name: 'early', phase: 'configure' })
      async start() {
        await gateway.service.beforeApplicationShutdown();
      }
    }
    const gateway = makeGateway(new Early(), ...makeParts(story));
    await gateway.bootstrap();
    expect(story).not.toContain('register tools');
  });
});

it('only core/lifecycle uses the lifecycle hooks of Nest: all other code declares steps', () => {
  const hooks =
    /\b(onModuleInit|onModuleDestroy|onApplicationBootstrap|beforeApplicationShutdown|onApplicationShutdown)\(/;
  const root = new URL('../..', import.meta.url).pathname;
  const files = globSync('**/*.ts', { cwd: root }).filter((file) => !file.startsWith('core/lifecycle/'));
  expect(files.length).toBeGreaterThan(200);
  expect(files.filter((file) => hooks.test(readFileSync(root + file, 'utf8')))).toEqual([]);
});
