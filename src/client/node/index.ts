/** A device node of a gateway, for Node 24 or newer. For browsers see `browser.ts`. */
export * from './browser.js';
export { FolderNodeStorage } from './folder-storage.js';
