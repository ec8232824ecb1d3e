import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { TranscriptMessage } from '../../client/index.js';
import type { Chat } from '../model/chat.js';
import { Conversation } from '../model/conversation.js';
import { MediaFiles } from '../model/media-files.js';
import { texts } from '../texts.js';
import type { ScrollKeeper } from '../thread/scroll-keeper.js';
import type { ChatComposer } from './composer.js';
import { Writing, type WritingPage } from './writing.js';

let finishUpload: () => void;
let chat: { send: ReturnType<typeof vi.fn>; cancel: ReturnType<typeof vi.fn>; dismiss: ReturnType<typeof vi.fn> };
let composer: Pick<ChatComposer, 'text' | 'readOnly' | 'focus'>;
let writing: Writing;
beforeEach(() => {
  const media = new MediaFiles(
    () => undefined,
    fetch,
    () =>
      new Promise((resolve) => {
        finishUpload = () => resolve(Response.json({ media_id: 'f_1', mime_type: 'text/plain', size_bytes: 3 }));
      }),
  );
  chat = { send: vi.fn(() => true), cancel: vi.fn(), dismiss: vi.fn() };
  composer = { text: '', readOnly: false, focus: () => {} };
  const page = {
    composer,
    chat: {
      media,
      active: new Conversation('ann', 's_1'),
      drafts: { saveText: () => {}, readFiles: () => [], saveFiles: () => {} },
      ...chat,
    } as unknown as Chat,
  } as WritingPage;
  const host = Object.assign(new EventTarget(), {
    addController: () => {},
    removeController: () => {},
    requestUpdate: () => {},
    updateComplete: Promise.resolve(true),
  });
  writing = new Writing(host, { toEnd: () => {} } as ScrollKeeper, () => page);
});

const file = new File(['abc'], 'a.txt', { type: 'text/plain' });

/** Begins the upload of a file. `done` resolves at its end. */
async function attach(): Promise<{ readonly done: Promise<void> }> {
  const done = writing.taker.take([file]);
  await expect.poll(() => finishUpload).toBeDefined();
  return { done };
}

describe('a message whose file is not uploaded yet', () => {
  it('is not sent, which a note says until the file is uploaded, and is then sent with it', async () => {
    composer.text = 'look';
    const { done } = await attach();
    writing.write('look');
    expect(chat.send).not.toHaveBeenCalled();
    expect([writing.notice, composer.text, writing.taker.files.length]).toEqual([texts.files.wait, 'look', 1]);
    finishUpload();
    await done;
    expect(writing.notice).toBe('');
    writing.write('look');
    expect(chat.send).toHaveBeenCalledWith('look', [expect.objectContaining({ media_id: 'f_1' })], undefined);
    expect([composer.text, writing.taker.files]).toEqual(['', []]);
  });

  it('is not put aside for the editing of another', async () => {
    await attach();
    writing.editAgain({ content: 'earlier', attachments: [], ref: 'm_1' } as unknown as TranscriptMessage);
    expect([writing.notice, writing.editing, writing.taker.files.length]).toEqual([texts.files.wait, undefined, 1]);
  });
});

describe('a message that was not answered', () => {
  const message = { content: 'first', attachments: [], phase: 'open' } as unknown as TranscriptMessage;

  it('goes back into an empty composer', () => {
    writing.takeBack(message);
    expect(chat.cancel).toHaveBeenCalledWith(message);
    expect(composer.text).toBe('first');
  });

  it('stays in its place while the composer holds something else', () => {
    composer.text = 'second';
    writing.takeBack(message);
    writing.edit(message);
    expect([chat.cancel, chat.dismiss].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
    expect([composer.text, writing.notice]).toEqual(['second', texts.composer.occupied]);
  });
});
