import { AdminStore } from './admin.store.js';
import { ApprovalStore } from './approval.store.js';
import { AuditStore } from './audit.store.js';
import { CanvasStore } from './canvas.store.js';
import { ChannelStore } from './channel.store.js';
import { CredentialStore } from './credential.store.js';
import { CronStore } from './cron.store.js';
import { FrameStore } from './frame.store.js';
import { MediaStore } from './media.store.js';
import { MemoryStore } from './memory.store.js';
import { NodeStore } from './node.store.js';
import { QueueStore } from './queue.store.js';
import { SessionStore } from './session.store.js';
import { SettingsStore } from './settings.store.js';
import { Store } from './store.js';
import { TailscaleStore } from './tailscale.store.js';
import { TurnStore } from './turn.store.js';
import { UsageStore } from './usage.store.js';

/** The ports that every store implements, as DI tokens. A store with backups implements `BackupStore` too. */
export const STORE_PORTS = [
  Store,
  QueueStore,
  TurnStore,
  SessionStore,
  FrameStore,
  SettingsStore,
  AdminStore,
  ApprovalStore,
  AuditStore,
  CanvasStore,
  ChannelStore,
  CredentialStore,
  CronStore,
  MediaStore,
  MemoryStore,
  NodeStore,
  TailscaleStore,
  UsageStore,
] as const;

type Intersection<T> = (T extends unknown ? (each: T) => void : never) extends (all: infer All) => void ? All : never;

/** The ports of {@link STORE_PORTS} in one type. */
export type StorePorts = Intersection<(typeof STORE_PORTS)[number]['prototype']>;
