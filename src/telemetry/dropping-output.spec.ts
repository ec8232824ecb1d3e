import { describe, expect, it } from 'vitest';
import { DroppingOutput, StandardOutput } from './dropping-output.js';
import { PinoLogs } from './pino-logs.js';

/** A standard output that takes what `accept` allows of each write: a number of bytes, or an error code. */
class FakeFile {
  text = '';
  writes = 0;
  pauses = 0;
  accept: (bytes: Uint8Array) => number | string = (bytes) => bytes.length;

  readonly output = new StandardOutput(
    (_fd, bytes) => {
      this.writes++;
      const taken = this.accept(bytes);
      if (typeof taken === 'string') throw Object.assign(new Error(`${taken}: write`), { code: taken });
      this.text += Buffer.from(bytes.subarray(0, taken)).toString();
      return taken;
    },
    () => void this.pauses++,
  );

  get records(): Record<string, unknown>[] {
    return this.text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as never] : []));
  }
}

describe('the log on a standard output that fails', () => {
  it.each(['ENOSPC', 'EPIPE', 'EIO', 'EAGAIN', 'EDQUOT'])('drops lines at %s and counts them once it works', (code) => {
    const file = new FakeFile();
    const log = new PinoLogs({ output: file.output, pretty: false }).for('queue');
    log.info({}, 'before');
    const { accept } = file;
    file.accept = () => code;
    for (let i = 0; i < 3; i++) expect(() => log.warn({}, 'lost')).not.toThrow();
    file.accept = accept;
    log.info({}, 'after');
    log.info({}, 'later');

    expect(file.records.map(({ msg }) => msg)).toEqual(['before', 'after', 'log lines were dropped', 'later']);
    expect(file.records[2]).toMatchObject({ level: 'error', subsystem: 'gateway', lines: 3, error: { code } });
  });

  it('drops pretty lines too', () => {
    const file = new FakeFile();
    file.accept = () => 'ENOSPC';
    const log = new PinoLogs({ output: file.output, pretty: true }).for('queue');

    expect(() => log.error({ error: new Error('disk') }, 'lost')).not.toThrow();
  });
});

describe('DroppingOutput', () => {
  it('counts the same lines again when the report was dropped', () => {
    const reports: number[] = [];
    let isFull = true;
    const output = new DroppingOutput(
      {
        write() {
          if (isFull) throw new Error('ENOSPC');
        },
      },
      (lines) => {
        isFull = reports.length === 0;
        reports.push(lines);
        output.write('the report\n');
      },
    );
    output.write('1\n');
    output.write('2\n');
    isFull = false;
    output.write('3\n');
    isFull = false;
    output.write('4\n');
    output.write('5\n');

    expect(reports).toEqual([2, 2]);
  });
});

describe('StandardOutput', () => {
  it('writes the rest of a line that was taken in part', () => {
    const file = new FakeFile();
    file.accept = () => 3;
    file.output.write('123456789\n'.slice(0, 9));

    expect(file.text).toBe('123456789');
  });

  it('begins a new line after one that was torn', () => {
    const file = new FakeFile();
    file.accept = () => (file.writes === 1 ? 4 : 'ENOSPC');
    expect(() => file.output.write('{"a":1}\n')).toThrow('ENOSPC');
    file.accept = (bytes) => bytes.length;
    file.output.write('{"b":2}\n');
    file.output.write('{"c":3}\n');

    expect(file.text).toBe('{"a"\n{"b":2}\n{"c":3}\n');
  });

  it('waits for a slow reader a bounded time, and once only until it reads again', () => {
    const file = new FakeFile();
    file.accept = () => (file.writes < 5 ? 'EAGAIN' : 100);
    file.output.write('patience\n');
    expect(file.text).toBe('patience\n');

    file.accept = () => 'EAGAIN';
    file.pauses = 0;
    expect(() => file.output.write('given up\n')).toThrow('EAGAIN');
    const once = file.pauses;
    expect(once).toBeLessThan(100);
    expect(() => file.output.write('given up\n')).toThrow('EAGAIN');
    expect(file.pauses).toBe(once);
  });
});
