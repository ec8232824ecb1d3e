/** A device node of a gateway, for browsers. */
export { CommandError, NodeMedia, type CommandContext, type NodeCommandSetup } from './commands.js';
export { NodeIdentity, pairNode, PairingRefusedError, type PairingRequest } from './identity.js';
export { IndexedDbNodeStorage } from './indexed-db-storage.js';
export { NodeClient, type NodeClientEvents, type NodeClientOptions } from './node-client.js';
export type { NodeState } from './node-line.js';
export { MemoryNodeStorage, StorageInUseError, type NodeStorage } from './storage.js';
