import { beforeEach, describe, expect, it } from 'vitest';
import { isPicture, MediaFiles, readMediaId } from '../model/media-files.js';
import { FileTray } from './file-tray.js';

interface Asked {
  readonly path: unknown;
  readonly options: RequestInit | undefined;
}

let asked: Asked[];
let answer: () => Response | Promise<Response>;
let token: string | undefined;
let tray: FileTray;
let media: MediaFiles;
beforeEach(() => {
  asked = [];
  token = undefined;
  answer = () => Response.json({ media_id: 'f_1', mime_type: 'image/png', size_bytes: 3 });
  media = new MediaFiles(
    () => token,
    async (path, options) => {
      asked.push({ path, options });
      return answer();
    },
    async () => answer(),
  );
  tray = new FileTray(
    [],
    media,
    async (each) => each,
    () => {},
  );
});

const file = (name: string, type = 'image/png') => new File(['abc'], name, { type });

describe('the files of a gateway', () => {
  it('have exactly one kind of path', () => {
    expect(readMediaId('/media/f_12-ab')).toBe('f_12-ab');
    for (const address of [
      '/media/',
      '/media/a/b',
      '/media/..',
      '//media/x',
      'https://x.example/media/x',
      '/media/x?y',
    ]) {
      expect(readMediaId(address)).toBeUndefined();
    }
  });

  it('are requested with the token in a header, and without one in open mode', async () => {
    answer = () => new Response('abc', { headers: { 'content-type': 'image/png' } });
    await media.read('f_1', 'image');
    token = 'secret';
    await media.read('f_1', 'image');
    expect(asked.map(({ path, options }) => [path, options?.headers])).toEqual([
      ['media/f_1', {}],
      ['media/f_1', { Authorization: 'Bearer secret' }],
    ]);
    expect(asked[0]?.options).toMatchObject({ credentials: 'same-origin', mode: 'same-origin', redirect: 'error' });
    expect(asked[1]?.options).toMatchObject({ credentials: 'omit', mode: 'same-origin', redirect: 'error' });
  });

  it('are not shown as a type that they do not have', async () => {
    answer = () => new Response('<svg/>', { headers: { 'content-type': 'image/svg+xml' } });
    await expect(media.read('f_1', 'image')).rejects.toMatchObject({ failure: 'type' });
    await expect(media.read('f_1', 'audio')).rejects.toMatchObject({ failure: 'type' });
    expect(['image/png', 'image/svg+xml', 'text/html', ''].filter((type) => isPicture({ type }))).toEqual([
      'image/png',
    ]);
  });

  it.each([
    [401, 'signed-out'],
    [403, 'forbidden'],
    [404, 'missing'],
    [503, 'failed'],
  ])('with status %i fail with a reason', async (status, failure) => {
    answer = () => new Response('', { status });
    await expect(media.read('f_1', 'image')).rejects.toMatchObject({ failure });
  });
});

describe('the files of a draft', () => {
  it('have the ids from the gateway and names that it accepts', async () => {
    const adding = tray.add([file(`a\u0007\ud800${'x'.repeat(300)}`)]);
    expect([tray.isIncomplete, tray.attachments]).toEqual([true, []]);
    expect(await adding).toEqual([]);
    expect([tray.isIncomplete, tray.attachments]).toEqual([
      false,
      [{ kind: 'image', media_id: 'f_1', mime_type: 'image/png', size_bytes: 3, name: `a\ufffd${'x'.repeat(98)}` }],
    ]);
  });

  it('are of any kind, at most ten', async () => {
    answer = () => Response.json({ media_id: 'f_1', mime_type: 'application/pdf', size_bytes: 3 });
    const faults = await tray.add(Array.from({ length: 11 }, (_, i) => file(`${i}`, '')));
    expect(faults).toEqual([{ kind: 'too-many', name: '10' }]);
    expect(new Set(tray.attachments.map(({ kind }) => kind))).toEqual(new Set(['file']));
  });

  it('do not include those that the gateway refused, and keep those whose upload can be tried again', async () => {
    answer = () => new Response('', { status: 413 });
    expect(await tray.add([file('a')])).toEqual([{ kind: 'too-large', name: 'a' }]);
    answer = () => Promise.reject(new TypeError('no network'));
    expect(await tray.add([file('b')])).toEqual([]);
    expect(tray.files).toMatchObject([{ name: 'b', failure: 'unreachable' }]);
    answer = () => Response.json({ media_id: 'f_2', mime_type: 'image/png', size_bytes: 3 });
    expect(await tray.retry(tray.files[0]!)).toEqual([]);
    expect([tray.isIncomplete, tray.attachments.map(({ media_id }) => media_id)]).toEqual([false, ['f_2']]);
  });

  it('do not include those removed during their upload, which is not reported', async () => {
    const adding = tray.add([file('a')]);
    answer = () => new Response('', { status: 413 });
    tray.remove(tray.files[0]!);
    expect([await adding, tray.files]).toEqual([[], []]);
  });
});
