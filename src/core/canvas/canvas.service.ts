import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  CanvasAction,
  GatewayError,
  type CanvasProblemPayload,
  type CanvasStatePayload,
  type PayloadFault,
} from '../../protocol/domain.js';
import { findFaults } from '../../protocol/faults.js';
import { BoundedMap } from '../cache/bounded-map.js';
import { DeliveryService } from '../delivery/delivery.service.js';
import type { Principal } from '../identity/principal.js';
import { MediaService } from '../media/media.service.js';
import { ReachService } from '../reach/reach.service.js';
import { SessionRouterService } from '../sessions/session-router.service.js';
import { CanvasStore, type CanvasSurface, type MediaRecord, type Session, type SurfaceDraft } from '../store/index.js';
import { Clock, DAY_MS } from '../time/clock.js';

/** Open surfaces of a session. */
const MAX_SURFACES = 20;
/** Closed surfaces of a session that are remembered, so that a late action on one is recognised. */
const MAX_CLOSED = 100;
/** The states before the newest one of a surface that keep their content in the log. */
const OLDER = { states: 1_000, bytes: 1_048_576, ms: DAY_MS };
/** Size of what a person has entered on a surface, as JSON, in bytes. */
const MAX_ENTERED_BYTES = 65_536;
/** Two reports of what a person has entered on a surface are at least this far apart, less what a network adds. */
const MIN_STATE_INTERVAL_MS = 250;
/** Surfaces whose last report is remembered. */
const MAX_REPORTED = 10_000;
/** Surfaces whose problems are remembered, and problems of one version. */
const MAX_TROUBLED = 1_000;
const MAX_PROBLEMS = 5;
/** Lifetime of an address that a client asks for. */
const ADDRESS_MS = 10 * 60_000;
/** Addresses of one surface that are valid at a time. */
const MAX_ADDRESSES = 32;

/** The type of the page of an MCP server, which speaks the language of MCP Apps. */
export const APP_PAGE_TYPE = 'text/html;profile=mcp-app';

const CHANGED = 'this has changed: the surface is no longer what was shown';

/** The address of a page, which any client that has it may read. */
export interface OpenAddress {
  readonly surfaceId: string;
  readonly version: number;
  /** Relative to the address of the gateway. */
  readonly url: string;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/** A state to be stored, with the page for kind html. */
export interface SurfaceChange extends Pick<
  SurfaceDraft,
  'surfaceId' | 'kind' | 'title' | 'callId' | 'messageRef' | 'isNew'
> {
  /** See {@link CanvasSurface.content}. */
  readonly content?: string | undefined;
  readonly page?: string | undefined;
}

/** Problems that readers have reported of a version of a surface. */
interface Troubles {
  readonly version: number;
  readonly problems: readonly string[];
}

/**
 * The surfaces of sessions: their states, what people have entered, whether an action is about the state that is shown, and
 * who may read a page.
 */
@Injectable()
export class CanvasService {
  private readonly reported = new BoundedMap<string, number>(MAX_REPORTED);
  /** By surface: what readers could not draw. Those that draw it again report it again, so a restart loses nothing. */
  private readonly troubled = new BoundedMap<string, Troubles>(MAX_TROUBLED);

  constructor(
    private readonly store: CanvasStore,
    private readonly media: MediaService,
    private readonly router: SessionRouterService,
    private readonly delivery: DeliveryService,
    private readonly reach: ReachService,
    private readonly clock: Clock,
  ) {}

  /** Returns an open surface. */
  async find(sessionId: string, surfaceId: string): Promise<CanvasSurface | undefined> {
    const surface = await this.store.findSurface(sessionId, surfaceId);
    return surface?.isClosed ? undefined : surface;
  }

  list(sessionId: string): Promise<readonly CanvasSurface[]> {
    return this.store.listSurfaces(sessionId);
  }

  /** Returns whether a session has a file. */
  async hasMedia({ tenant, id }: Session, mediaId: string): Promise<boolean> {
    return (await this.media.find(tenant, mediaId))?.sessionId === id;
  }

  /** Returns the number of connections to this replica that read a session. */
  countReaders(sessionId: string): number {
    return this.delivery.countReaders(sessionId);
  }

  /**
   * Stores a state of a surface and returns it. The same call again returns the state that it has stored.
   * @throws Error when the session has {@link MAX_SURFACES}; GatewayError QUOTA_EXCEEDED, STORE_UNAVAILABLE
   */
  async save(session: Session, change: SurfaceChange): Promise<CanvasSurface> {
    const { page, ...rest } = change;
    const before = await this.store.findSurface(session.id, change.surfaceId);
    const pageId = page === undefined ? undefined : nameMedia(session.id, change.callId);
    if (page !== undefined && pageId !== undefined)
      await this.media.keep(session, { mediaId: pageId, mimeType: typeOf(change), bytes: Buffer.from(page) });
    const mediaId = pageId ?? (change.kind === 'html' ? before?.mediaId : undefined);
    const saved = await this.write(session, { ...rest, mediaId, isClosed: false });
    if (!saved) {
      if (pageId !== undefined) await this.media.discard([pageId]);
      throw new Error(`this conversation has ${MAX_SURFACES} surfaces, which is the limit: close one first`);
    }
    await this.discardPage(before, saved);
    return saved;
  }

  /** Closes a surface and returns its last state. @throws Error when there is none */
  async close(
    session: Session,
    surfaceId: string,
    { callId, messageRef }: Pick<SurfaceDraft, 'callId' | 'messageRef'>,
  ): Promise<CanvasSurface> {
    const before = await this.store.findSurface(session.id, surfaceId);
    if (!before || (before.isClosed && before.callId !== callId))
      throw new Error(`there is no open surface ${surfaceId}`);
    const { kind, title } = before;
    const of = { surfaceId, kind, title, callId, messageRef };
    const closed = await this.write(session, { ...of, isNew: false, isClosed: true });
    if (!closed) throw new Error(`there is no open surface ${surfaceId}`);
    await this.discardPage(before, closed);
    return closed;
  }

  /**
   * Checks what a person did on a surface of a session.
   * @param action the `metadata.canvas` of a message
   * @returns the fault of an action that is malformed or about another state than the newest one
   */
  async findFault(sessionId: string, action: unknown): Promise<PayloadFault | undefined> {
    const [fault] = findFaults(CanvasAction, action);
    if (fault) return { pointer: `/metadata/canvas${fault.pointer}`, message: fault.message };
    const { surface_id: surfaceId, version } = action as CanvasAction;
    const surface = await this.find(sessionId, surfaceId);
    return surface?.version === version ? undefined : { pointer: '/metadata/canvas/version', message: CHANGED };
  }

  /**
   * Keeps what a person has entered on a surface.
   * @throws GatewayError FORBIDDEN, NOT_FOUND, INVALID_PAYLOAD, RATE_LIMITED
   */
  async noteEntered(principal: Principal, sessionId: string | undefined, state: CanvasStatePayload): Promise<void> {
    const { surface_id: surfaceId, version, data } = state;
    const { surface, session } = await this.getReadable(principal, sessionId, surfaceId);
    const text = JSON.stringify(data);
    if (Buffer.byteLength(text) > MAX_ENTERED_BYTES)
      throw invalid('/data', `must have at most ${MAX_ENTERED_BYTES} bytes of JSON`);
    if (surface.version < version) throw invalid('/version', `must be at most ${surface.version}`);
    const key = keyOf(session.id, surfaceId);
    const now = this.clock.elapsed();
    if (now - (this.reported.get(key) ?? -MIN_STATE_INTERVAL_MS) < MIN_STATE_INTERVAL_MS)
      throw new GatewayError('RATE_LIMITED', { limit: 'one canvas_state in 500 ms' });
    this.reported.set(key, now);
    await this.store.noteEntered(session.id, surfaceId, { data: text, version, at: this.clock.now() });
  }

  /**
   * Keeps the report of a reader that could not draw the newest state of a surface.
   * @throws GatewayError FORBIDDEN, NOT_FOUND
   */
  async noteProblem(principal: Principal, sessionId: string | undefined, report: CanvasProblemPayload): Promise<void> {
    const { session, surface } = await this.getReadable(principal, sessionId, report.surface_id);
    if (surface.version !== report.version) return;
    const known = this.listProblems(surface);
    if (known.length >= MAX_PROBLEMS || known.includes(report.problem)) return;
    const problems = [...known, report.problem];
    this.troubled.set(keyOf(session.id, report.surface_id), { version: report.version, problems });
  }

  /** Returns what readers could not draw of this state of a surface. It comes from them, and is never an instruction. */
  listProblems({ sessionId, surfaceId, version }: CanvasSurface): readonly string[] {
    const known = this.troubled.get(keyOf(sessionId, surfaceId));
    return known?.version === version ? known.problems : [];
  }

  /**
   * Makes an address for the page of a surface.
   * @throws GatewayError FORBIDDEN, NOT_FOUND
   */
  async open(principal: Principal, sessionId: string | undefined, surfaceId: string): Promise<OpenAddress> {
    const { surface } = await this.getReadable(principal, sessionId, surfaceId);
    if (surface.mediaId === undefined) throw new GatewayError('NOT_FOUND', { what: `a page of surface ${surfaceId}` });
    return this.makeAddress(surface, ADDRESS_MS);
  }

  /**
   * Makes a link to the page of a surface, for people who follow the conversation elsewhere: good for a day. Resolves with
   * undefined if there is no page, or the gateway has no public address.
   */
  async makeLink(surface: CanvasSurface): Promise<string | undefined> {
    const { publicUrl } = this.reach;
    if (publicUrl === undefined || surface.mediaId === undefined) return undefined;
    return `${publicUrl}/${(await this.makeAddress(surface, DAY_MS)).url}`;
  }

  /** Returns the page that an address leads to; undefined if it has expired, or the surface has changed. */
  async findPage(surfaceId: string, capability: string): Promise<MediaRecord | undefined> {
    const address = await this.store.findCanvasAddress(hashOf(capability));
    if (address?.surfaceId !== surfaceId) return undefined;
    const surface = await this.find(address.sessionId, surfaceId);
    if (surface?.mediaId === undefined || surface.version !== address.version) return undefined;
    return this.media.find(surface.tenant, surface.mediaId);
  }

  private async makeAddress({ sessionId, surfaceId, version }: CanvasSurface, validMs: number): Promise<OpenAddress> {
    const capability = randomBytes(32).toString('base64url');
    const expiresAt = this.clock.now() + validMs;
    const address = { capabilityHash: hashOf(capability), sessionId, surfaceId, version, expiresAt };
    await this.store.addCanvasAddress(address, MAX_ADDRESSES);
    return { surfaceId, version, url: `canvas/${surfaceId}/${capability}`, expiresAt };
  }

  private async getReadable(
    principal: Principal,
    sessionId: string | undefined,
    surfaceId: string,
  ): Promise<{ readonly session: Session; readonly surface: CanvasSurface }> {
    if (principal.role !== 'user' && principal.role !== 'operator')
      throw new GatewayError('FORBIDDEN', { reason: 'the canvas is for roles user and operator' });
    if (sessionId === undefined)
      throw new GatewayError('INVALID_FRAME', { reason: 'a frame of the canvas needs a session_id in the envelope' });
    const session = await this.router.getReadable(principal, sessionId);
    const surface = await this.find(session.id, surfaceId);
    if (!surface) throw new GatewayError('NOT_FOUND', { what: `surface ${surfaceId}` });
    return { session, surface };
  }

  private write(
    { id: sessionId, tenant }: Session,
    change: Omit<SurfaceDraft, 'sessionId' | 'tenant' | 'updatedAt'>,
  ): Promise<CanvasSurface | undefined> {
    const draft = { ...change, sessionId, tenant, updatedAt: this.clock.now() };
    return this.store.saveSurface(draft, { open: MAX_SURFACES, closed: MAX_CLOSED, older: OLDER });
  }

  /** Deletes the page of the state before, which no address leads to any more. */
  private async discardPage(before: CanvasSurface | undefined, { mediaId }: CanvasSurface): Promise<void> {
    if (before?.mediaId !== undefined && before.mediaId !== mediaId) await this.media.discard([before.mediaId]);
  }
}

function typeOf({ content }: SurfaceChange): string {
  return content === undefined ? 'text/html' : APP_PAGE_TYPE;
}

/** Returns the ID of the page that a call has made, the same for each run of the call. */
function nameMedia(sessionId: string, callId: string): string {
  const digits = createHash('sha256').update(`${sessionId}\n${callId}`).digest('hex');
  const parts = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20)];
  return `f_${parts.join('-')}-${digits.slice(20, 32)}`;
}

function keyOf(sessionId: string, surfaceId: string): string {
  return `${sessionId}\n${surfaceId}`;
}

function hashOf(capability: string): string {
  return createHash('sha256').update(capability).digest('hex');
}

function invalid(pointer: string, message: string): GatewayError {
  return new GatewayError('INVALID_PAYLOAD', { faults: [{ pointer, message }] });
}
