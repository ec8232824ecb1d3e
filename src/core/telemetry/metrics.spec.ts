import { describe, expect, it } from 'vitest';
import { FakeMetrics } from '../../testing/fake-metrics.js';
import { bindEach, NoMetrics } from './metrics.js';

const ended = { name: 'openclaw_turns_total', help: 'Turns.', labels: ['outcome'] as const };

describe('metrics', () => {
  it('without an engine share one constant instrument, whatever their name and labels', () => {
    const metrics = new NoMetrics();
    const { done, failed } = bindEach(metrics.counter(), 'outcome', ['done', 'failed']);
    expect(done).toBe(failed);
    expect(metrics.gauge().with({})).toBe(done);
    expect(metrics.histogram().with({})).toBe(done);
    done.add();
  });

  it('count for each combination of labels, and are the same object for all callers with one name', () => {
    const metrics = new FakeMetrics();
    bindEach(metrics.counter(ended), 'outcome', ['done', 'failed']).done.add();
    metrics.counter(ended).with({ outcome: 'done' }).add(2);
    expect(metrics.read(ended.name, { outcome: 'done' })).toBe(3);
    expect(metrics.read(ended.name, { outcome: 'failed' })).toBe(0);
  });

  it('are refused where an engine for Prometheus would refuse them', () => {
    const metrics = new FakeMetrics();
    metrics.counter(ended);
    expect(() => metrics.counter({ ...ended, labels: ['reason'] })).toThrow('declared twice');
    expect(() => metrics.gauge(ended)).toThrow('declared twice');
    expect(() => metrics.counter({ name: 'openclaw_turns', help: 'Turns.' })).toThrow('_total');
    expect(() => metrics.gauge({ name: 'turns', help: 'Turns.' })).toThrow('openclaw_');
    expect(() => metrics.counter(ended).with({ outcome: 'done' }).add(-1)).toThrow('only grows');
  });
});
