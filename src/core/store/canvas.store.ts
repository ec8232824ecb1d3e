import type { CanvasKind } from '../../protocol/domain.js';
import type { Json } from './records.js';

/** The newest state of a surface that an agent has drawn. */
export interface CanvasSurface {
  readonly sessionId: string;
  /** Unique in its session. */
  readonly surfaceId: string;
  readonly tenant: string;
  /** Counts from 1. */
  readonly version: number;
  /** The version with which it began: a state that {@link SurfaceDraft.isNew | is new}. */
  readonly since: number;
  readonly kind: CanvasKind;
  readonly title?: string | undefined;
  /** For kind a2ui: the messages that make it. For kind html: the call that the page of an MCP server shows. */
  readonly content?: Json | undefined;
  /** For kind html: the page. */
  readonly mediaId?: string | undefined;
  readonly isClosed: boolean;
  /** The tool call that made this state. */
  readonly callId: string;
  /** Unix milliseconds. */
  readonly updatedAt: number;
  /** The values that a person has entered, as a client reported them last. */
  readonly entered?: EnteredData | undefined;
}

/** The values of a surface in a client. */
export interface EnteredData {
  readonly data: Json;
  /** The version of the surface that the person had before them. */
  readonly version: number;
  /** Unix milliseconds. */
  readonly at: number;
}

/** A state of a surface to be stored. The store counts the versions. */
export type SurfaceDraft = Omit<CanvasSurface, 'version' | 'since' | 'entered'> & {
  /** True if nothing of an earlier surface of this name stays, what a person has entered included. */
  readonly isNew: boolean;
  /** The message whose reply shows it. */
  readonly messageRef: string;
};

/** The right to read one version of a page, for who knows the capability. The capability itself is not stored. */
export interface CanvasAddress {
  /** SHA-256, in hexadecimal. */
  readonly capabilityHash: string;
  readonly sessionId: string;
  readonly surfaceId: string;
  readonly version: number;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/** Limits of the surfaces of a session. */
export interface SurfaceLimits {
  /** Surfaces that are not closed. */
  readonly open: number;
  /** Closed surfaces that are remembered; the oldest are forgotten first. */
  readonly closed: number;
  /** Bounds, per surface, of the states before the newest one that keep their content in the log and in replies. */
  readonly older: { readonly states: number; readonly bytes: number; readonly ms: number };
}

/**
 * The surfaces of sessions, which are deleted with them, and the addresses of their pages. All calls reject with
 * GatewayError STORE_UNAVAILABLE when the store cannot answer.
 */
export abstract class CanvasStore {
  /**
   * Stores a state, durable when it resolves, and returns it with its version. A call that has stored its state already
   * gets that state. Resolves with undefined, and stores nothing, if the session has as many open surfaces as it may.
   */
  abstract saveSurface(draft: SurfaceDraft, limits: SurfaceLimits): Promise<CanvasSurface | undefined>;

  abstract findSurface(sessionId: string, surfaceId: string): Promise<CanvasSurface | undefined>;

  /** Lists the open surfaces of a session, the one that changed last first. */
  abstract listSurfaces(sessionId: string): Promise<readonly CanvasSurface[]>;

  /** Keeps what a person has entered. Does nothing if there is no such surface, or it is closed. */
  abstract noteEntered(sessionId: string, surfaceId: string, entered: EnteredData): Promise<void>;

  /** Keeps an address. The oldest ones of a surface are forgotten beyond `maxPerSurface`. */
  abstract addCanvasAddress(address: CanvasAddress, maxPerSurface: number): Promise<void>;

  /** Finds an address that has not expired. */
  abstract findCanvasAddress(capabilityHash: string): Promise<CanvasAddress | undefined>;
}
