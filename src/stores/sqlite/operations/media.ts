import type { MediaStore } from '../../../core/store/index.js';
import { read, write, type Rows } from './row.js';

export const MEDIA_ROWS: Rows<MediaStore> = {
  addMedia: write(({ media }, ...all) => media.add(...all)),
  sumUploads: read(({ media }, ...all) => media.sum(...all)),
  listUnknownMedia: read(({ media }, mediaIds) => media.listUnknown(mediaIds)),
  findMedia: read(({ media }, ...all) => media.find(...all)),
  assignMedia: write(({ media }, ...all) => media.assign(...all)),
  listExpiredMedia: read(({ media }, unclaimedBefore) => media.listExpired(unclaimedBefore)),
  forgetMedia: write(({ media }, mediaIds) => media.forget(mediaIds)),
};
