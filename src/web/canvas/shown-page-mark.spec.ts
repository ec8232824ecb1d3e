import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ShownPageMark } from './shown-page-mark.js';

/** The storage of a browser. */
class FakeStorage {
  readonly values = new Map<string, string>();
  readonly getItem = (key: string) => this.values.get(key) ?? null;
  readonly setItem = (key: string, value: string) => void this.values.set(key, value);
  readonly removeItem = (key: string) => void this.values.delete(key);
}

let shared: FakeStorage;
beforeEach(() => {
  vi.useFakeTimers();
  shared = new FakeStorage();
  vi.stubGlobal('localStorage', shared);
  openTab();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});
const openTab = () => vi.stubGlobal('sessionStorage', new FakeStorage());

describe('the mark of a page that is shown', () => {
  it('[Y-10] stops this tab after a reload, and others once it is not renewed, each once', () => {
    const frozen = new ShownPageMark();
    expect(frozen.begin('a')).toBe(true);
    // The chat stands still: no timer runs, and nothing ends the mark.
    vi.clearAllTimers();
    expect(new ShownPageMark().begin('b')).toBe(true);
    expect(new ShownPageMark().begin('a')).toBe(false);
    expect(new ShownPageMark().begin('a')).toBe(true);
    vi.clearAllTimers();
    openTab();
    vi.setSystemTime(Date.now() + 3_001);
    expect(new ShownPageMark().begin('a')).toBe(false);
  });

  it('[Y-10] lets other tabs show a page that runs, or that was left', () => {
    const running = new ShownPageMark();
    running.begin('a');
    vi.advanceTimersByTime(60_000);
    openTab();
    const other = new ShownPageMark();
    expect(other.begin('a')).toBe(true);
    other.done();
    running.done();
    expect(shared.values.size).toBe(0);
    expect(new ShownPageMark().begin('a')).toBe(true);
  });
});
