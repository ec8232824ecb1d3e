import type { CanvasStore } from '../../../core/store/index.js';
import { read, write, type Rows } from './row.js';

export const CANVAS_ROWS: Rows<CanvasStore> = {
  saveSurface: write(({ canvas }, ...all) => canvas.save(...all)),
  findSurface: read(({ canvas }, ...all) => canvas.find(...all)),
  listSurfaces: read(({ canvas }, sessionId) => canvas.list(sessionId)),
  noteEntered: write(({ canvas }, ...all) => canvas.noteEntered(...all)),
  addCanvasAddress: write(({ canvas }, ...all) => canvas.addAddress(...all)),
  findCanvasAddress: read(({ canvas, now }, capabilityHash) => canvas.findAddress(now, capabilityHash)),
};
