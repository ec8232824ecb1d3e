import type { TailscaleStore } from '../../../core/store/index.js';
import { read, write, type Rows } from './row.js';

export const TAILSCALE_ROWS: Rows<TailscaleStore> = {
  listTailscaleEntries: read(({ tailscale }) => tailscale.list()),
  keepTailscaleEntry: write(({ tailscale }, entry) => tailscale.keep(entry)),
  forgetTailscaleEntry: write(({ tailscale }, entry) => tailscale.forget(entry)),
};
