import { beforeEach, describe, expect, it } from 'vitest';
import { isPicture, MediaFiles, readMediaId } from '../model/media-files.js';
import { PictureTray } from './picture-tray.js';

interface Asked {
  readonly path: unknown;
  readonly options: RequestInit | undefined;
}

let asked: Asked[];
let answer: () => Response | Promise<Response>;
let token: string | undefined;
let tray: PictureTray;
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
  );
  tray = new PictureTray(media, () => {});
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
      ['/media/f_1', {}],
      ['/media/f_1', { Authorization: 'Bearer secret' }],
    ]);
    expect(asked[0]?.options).toMatchObject({ credentials: 'omit', mode: 'same-origin', redirect: 'error' });
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

describe('the pictures of a draft', () => {
  it('have the ids from the gateway and names that it accepts', async () => {
    const adding = tray.add([file(`a\u0007\ud800${'x'.repeat(300)}`)]);
    expect([tray.isUploading, tray.attachments]).toEqual([true, []]);
    expect(await adding).toEqual([]);
    expect([tray.isUploading, tray.attachments]).toEqual([
      false,
      [{ kind: 'image', media_id: 'f_1', mime_type: 'image/png', size_bytes: 3, name: `a\ufffd${'x'.repeat(98)}` }],
    ]);
  });

  it('are pictures, at most four', async () => {
    const faults = await tray.add([file('t', 'text/plain'), ...['1', '2', '3', '4', '5'].map((name) => file(name))]);
    expect(faults).toEqual([
      { kind: 'no-picture', name: 't' },
      { kind: 'too-many', name: '5' },
    ]);
    expect(tray.pictures.map(({ name }) => name)).toEqual(['1', '2', '3', '4']);
  });

  it('do not include those that the gateway refused or that failed to upload', async () => {
    answer = () => new Response('', { status: 413 });
    expect(await tray.add([file('a')])).toEqual([{ kind: 'too-large', name: 'a' }]);
    answer = () => Promise.reject(new TypeError('no network'));
    expect(await tray.add([file('b')])).toEqual([{ kind: 'unreachable', name: 'b' }]);
    expect(tray.pictures).toEqual([]);
  });

  it('do not include those removed during their upload, which is not reported', async () => {
    const adding = tray.add([file('a')]);
    answer = () => new Response('', { status: 413 });
    tray.remove(tray.pictures[0]!);
    expect([await adding, tray.pictures]).toEqual([[], []]);
  });
});
