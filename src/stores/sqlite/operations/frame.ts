import type { FrameStore } from '../../../core/store/index.js';
import { read, write, type Rows } from './row.js';

export const FRAME_ROWS: Rows<FrameStore> = {
  readFrames: read(({ frames }, ...all) => frames.read(...all)),
  hasFrame: read(({ frames }, ...all) => frames.hasFrame(...all)),
  readHeads: read(({ frames }, sessionIds) => frames.readHeads(sessionIds)),
  moveCursor: write(({ frames }, ...all) => frames.moveCursor(...all)),
  listResumable: read(({ frames }, ...all) => frames.listResumable(...all)),
  noteFollower: write(({ frames, now }, client) => frames.noteFollower(now, client)),
  findPosition: read(({ frames }, ...all) => frames.findPosition(...all)),
};
