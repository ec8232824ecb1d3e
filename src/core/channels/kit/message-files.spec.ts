import { expect, it } from 'vitest';
import { withFiles, type FileRef } from './message-files.js';

const opened: string[] = [];
const source = {
  open: async ({ id }: FileRef) => {
    opened.push(id);
    return (async function* () {
      yield Buffer.from(id);
    })();
  },
  maxBytes: 1_000,
};

/** Reads a message with one file, whose content is of this type. */
async function readFile(kind: FileRef['kind'], mimeType: string, sizeBytes = 9) {
  const link = { keepFile: async () => ({ mediaId: 'med_1', mimeType, sizeBytes }) };
  const reading = { kind: 'message', message: { content: '' } } as const;
  return withFiles(reading, [{ id: 'file', kind, sizeBytes }], link, source);
}

it.each([
  ['a voice in a container of MP4 with any brand is sound', 'audio', 'video/mp4', 'audio'],
  ['a film stays a film', 'video', 'video/mp4', 'video'],
  ['a picture that is called sound stays a picture', 'audio', 'image/png', 'image'],
] as const)('%s', async (_, kind, mimeType, expected) => {
  expect(await readFile(kind, mimeType)).toMatchObject({
    message: { attachments: [{ kind: expected, mime_type: mimeType }] },
  });
});

it('a file that is said to be too large is not fetched', async () => {
  opened.length = 0;
  const reading = await readFile('file', 'application/pdf', 1_001);
  expect(opened).toEqual([]);
  expect(reading).toMatchObject({ note: expect.stringContaining('it has more than 1000 bytes') as string });
});
