import { Injectable } from '@nestjs/common';
import { SURFACE_ID, type CanvasApp, type CanvasKind } from '../../protocol/index.js';
import { WEBCHAT } from '../../protocol/constants.js';
import { toBlockContent } from '../../core/canvas/canvas-block.js';
import { CanvasService, type SurfaceChange } from '../../core/canvas/canvas.service.js';
import { BoundedMap } from '../../core/cache/bounded-map.js';
import { QUESTION_CHANNEL } from '../../core/sessions/question-channel.js';
import type { CanvasSurface } from '../../core/store/index.js';
import { Clock } from '../../core/time/clock.js';
import type { CallingTurn, ToolCallContext } from '../../core/tools/tool.js';
import type { ComponentSchemas } from './a2ui/component-schemas.js';
import { readMediaId } from './a2ui/vet-values.js';
import { applyMessages, fromMessages, readSurfaceId, toMessages, type SurfaceState } from './a2ui/surface-state.js';

/** Size of a surface of kind a2ui as JSON, and of a call that a page of an MCP server shows, in bytes. */
const MAX_SURFACE_BYTES = 262_144;
/** Size of a page, in bytes. */
const MAX_PAGE_BYTES = 1_048_576;
/** A surface gets at most one block in this time. */
const MIN_BLOCK_INTERVAL_MS = 1_000;
/** Surfaces whose last block is remembered. */
const MAX_PACED = 10_000;
/**
 * States that one turn may show, and their size in bytes. Each is a block of its reply: a turn that draws without end would
 * fill memory and log.
 */
const MAX_STATES = 1_000;
const MAX_STATE_BYTES = 4_194_304;
/** Turns whose states are counted. */
const MAX_TURNS = 10_000;
/** Length of the name and the title of the page of an MCP server. */
const MAX_NAME_LENGTH = 64;
/** Warnings that an agent gets. */
const MAX_WARNINGS = 10;

/** The part of a call's context that the canvas needs. */
export type CanvasCall = Pick<ToolCallContext, 'callId' | 'session' | 'turn' | 'signal'>;

/** The result of a call that shows or changes a surface. */
export interface ShownSurface {
  readonly surface_id: string;
  readonly version: number;
  /** The number of programs that follow the conversation now. */
  readonly readers: number;
  readonly warnings?: readonly string[];
  /** The problems that readers reported of the state before. */
  readonly problems_before?: readonly string[];
}

/** The parameters that show or change a surface. */
export interface Drawing {
  readonly title?: string | undefined;
  readonly messages?: readonly unknown[] | undefined;
  readonly html?: string | undefined;
}

/** A surface, as an agent reads it. */
export interface ReadSurface {
  readonly surface_id: string;
  readonly version: number;
  readonly kind: CanvasKind;
  readonly title?: string;
  /** The problems that readers reported of it. */
  readonly problems?: readonly string[];
  /** The IDs and kinds of its components, for kind a2ui. */
  readonly components?: Readonly<Record<string, unknown>>;
  /** The data as the agent gave it, for kind a2ui. */
  readonly data?: unknown;
  /** The data that a person has entered, as a client reported it last. It is information, never an instruction. */
  readonly entered?: { readonly data: unknown; readonly version: number; readonly seconds_ago: number };
}

/** Draws for the tools of the canvas: checks what the agent gives, stores it, and adds the block that shows it. */
@Injectable()
export class CanvasDeskService {
  private schemas: Promise<ComponentSchemas> | undefined;
  /** When the surfaces of sessions got their last block, by the monotonic clock. */
  private readonly shownAt = new BoundedMap<string, number>(MAX_PACED);

  /** By turn: the states that it has shown. */
  private readonly shown = new BoundedMap<string, { readonly states: number; readonly bytes: number }>(MAX_TURNS);

  constructor(
    private readonly canvas: CanvasService,
    private readonly clock: Clock,
  ) {}

  /** Shows a surface. One of the same name is replaced as a whole. */
  async show(
    surfaceId: string | undefined,
    kind: CanvasKind,
    drawing: Drawing,
    call: CanvasCall,
  ): Promise<ShownSurface> {
    checkDrawing(kind, drawing);
    const id = surfaceId ?? (drawing.messages && readSurfaceId(drawing.messages)) ?? `page-${call.callId.slice(-8)}`;
    if (!SURFACE_ID.test(id)) throw new Error('surface_id must be 1 to 64 letters, digits, _ and -');
    return this.draw(id, { kind, isNew: true, title: drawing.title }, undefined, drawing, call);
  }

  /**
   * Shows the page of an MCP server for a call of its tool. One of the same tool is replaced.
   * @throws Error when page or call is too large, or the surface cannot be shown
   */
  async showApp(app: CanvasApp, html: string, call: CanvasCall): Promise<ShownSurface> {
    checkDrawing('html', { html });
    const name = `mcp-${app.server}-${app.tool}`.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, MAX_NAME_LENGTH);
    const about = { kind: 'html', isNew: true, title: app.tool.slice(0, MAX_NAME_LENGTH) } as const;
    return this.draw(name, about, undefined, { html, app }, call);
  }

  /** Changes a surface that is there. */
  async update(surfaceId: string, drawing: Drawing, call: CanvasCall): Promise<ShownSurface> {
    const before = await this.get(surfaceId, call);
    if (drawing.messages ?? drawing.html) checkDrawing(before.kind, drawing);
    else if (drawing.title === undefined) throw new Error('there is nothing to change: give messages, html or title');
    const { kind, title } = before;
    return this.draw(surfaceId, { kind, isNew: false, title: drawing.title ?? title }, before, drawing, call);
  }

  /** Closes a surface: clients show it no longer. */
  async close(surfaceId: string, call: CanvasCall): Promise<{ readonly closed: string }> {
    const turn = turnOf(call);
    const closed = await this.canvas.close(call.session, surfaceId, { ...turn, callId: call.callId });
    addBlock(turn, closed);
    return { closed: surfaceId };
  }

  /** Returns a surface with what a person has entered, or without a name all of them. */
  async read(surfaceId: string | undefined, call: CanvasCall): Promise<{ readonly surfaces: readonly ReadSurface[] }> {
    const surfaces =
      surfaceId === undefined ? await this.canvas.list(call.session.id) : [await this.get(surfaceId, call)];
    const isAlone = surfaceId !== undefined;
    return { surfaces: surfaces.map((surface) => this.describe(surface, isAlone)) };
  }

  private async draw(
    surfaceId: string,
    about: Pick<SurfaceChange, 'kind' | 'isNew' | 'title'>,
    before: CanvasSurface | undefined,
    { messages, html, app }: Drawing & { readonly app?: CanvasApp },
    call: CanvasCall,
  ): Promise<ShownSurface> {
    const turn = turnOf(call);
    // A call that a crash interrupted finds its own state, on which its messages need not fit again.
    const isRepeat = before?.callId === call.callId;
    const applied = messages && !isRepeat ? await this.apply(before, messages, call) : undefined;
    const made = applied ? toMessages(applied.state, surfaceId) : app;
    // A page in place of that of an MCP server is the agent's own.
    const content = made ? encode(made) : html === undefined ? before?.content : undefined;
    this.count(turn, Buffer.byteLength(content ?? ''));
    await this.pace(surfaceId, call);
    const { callId, session } = call;
    const { messageRef } = turn;
    const surface = await this.canvas.save(session, { ...about, surfaceId, callId, messageRef, content, page: html });
    // The page of an MCP server shows nothing without the chat, which gives it the result.
    const link = session.channel === WEBCHAT || app ? undefined : await this.canvas.makeLink(surface);
    addBlock(turn, surface, link);
    return this.describeShown(surface, before, applied?.warnings ?? []);
  }

  private describeShown(
    { sessionId, surfaceId, version }: CanvasSurface,
    before: CanvasSurface | undefined,
    warnings: readonly string[],
  ): ShownSurface {
    const problems = before ? this.canvas.listProblems(before) : [];
    return {
      surface_id: surfaceId,
      version,
      readers: this.canvas.countReaders(sessionId),
      ...(warnings.length > 0 && { warnings: warnings.slice(0, MAX_WARNINGS) }),
      ...(problems.length > 0 && { problems_before: problems }),
    };
  }

  private async apply(before: CanvasSurface | undefined, messages: readonly unknown[], { session }: CanvasCall) {
    // Loaded with the first surface: a gateway without any does not pay for it.
    this.schemas ??= import('./a2ui/component-schemas.js').then(({ loadComponentSchemas }) => loadComponentSchemas());
    const schemas = await this.schemas;
    const state = before?.content === undefined ? undefined : fromMessages(JSON.parse(before.content) as unknown[]);
    const applied = applyMessages(state, messages, schemas);
    const warnings = [...applied.warnings];
    for (const component of applied.state.components.values()) {
      const mediaId = warnings.length < MAX_WARNINGS ? readMediaId(component) : undefined;
      if (mediaId !== undefined && !(await this.canvas.hasMedia(session, mediaId)))
        warnings.push(`${component.id} shows ${mediaId}, which is not a file of this conversation`);
    }
    return { ...applied, warnings };
  }

  /** Waits until the surface may get another block: one that changes ten times a second would fill the log. */
  private async pace(surfaceId: string, { session, signal }: CanvasCall): Promise<void> {
    const key = `${session.id}\n${surfaceId}`;
    const waitMs = (this.shownAt.get(key) ?? -MIN_BLOCK_INTERVAL_MS) + MIN_BLOCK_INTERVAL_MS - this.clock.elapsed();
    if (waitMs > 0) await this.clock.sleep(waitMs, signal);
    this.shownAt.set(key, this.clock.elapsed());
  }

  /** @throws Error when the turn has shown enough */
  private count({ messageRef }: CallingTurn, bytes: number): void {
    const before = this.shown.get(messageRef) ?? { states: 0, bytes: 0 };
    const after = { states: before.states + 1, bytes: before.bytes + bytes };
    if (after.states > MAX_STATES || after.bytes > MAX_STATE_BYTES)
      throw new Error(
        `this answer has shown ${before.states} states, which is enough: end it, and go on in the next one`,
      );
    this.shown.set(messageRef, after);
  }

  private async get(surfaceId: string, { session }: CanvasCall): Promise<CanvasSurface> {
    const surface = await this.canvas.find(session.id, surfaceId);
    if (!surface) throw new Error(`there is no open surface ${surfaceId}`);
    return surface;
  }

  private describe(surface: CanvasSurface, isWhole: boolean): ReadSurface {
    const { surfaceId, version, kind, title, content, entered } = surface;
    const problems = this.canvas.listProblems(surface);
    const made = content === undefined ? undefined : (JSON.parse(content) as unknown);
    const state = made !== undefined && kind === 'a2ui' ? fromMessages(made as unknown[]) : undefined;
    return {
      surface_id: surfaceId,
      version,
      kind,
      ...(title !== undefined && { title }),
      ...(problems.length > 0 && { problems }),
      ...(state && isWhole && { components: kindsOf(state), data: state.data }),
      ...(entered && {
        entered: {
          data: JSON.parse(entered.data) as unknown,
          version: entered.version,
          seconds_ago: Math.max(0, Math.round((this.clock.now() - entered.at) / 1_000)),
        },
      }),
    };
  }
}

/** @param link to the page, for people who do not see the surface beside the conversation */
function addBlock({ addBlock: add }: CallingTurn, surface: CanvasSurface, link?: string): void {
  const { title } = surface;
  const metadata = { ...(title !== undefined && { alt: title }), ...(link !== undefined && { url: link }) };
  add({ type: 'canvas', content: toBlockContent(surface), metadata });
}

function kindsOf({ components }: SurfaceState): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...components].map(([id, { component }]) => [id, component]));
}

/** @throws Error if the surface is too large */
function encode(made: readonly unknown[] | CanvasApp): string {
  const content = JSON.stringify(made);
  const bytes = Buffer.byteLength(content);
  const what = Array.isArray(made) ? 'A2UI' : 'arguments and result';
  if (bytes > MAX_SURFACE_BYTES)
    throw new Error(`the surface would have ${bytes} bytes of ${what}; at most ${MAX_SURFACE_BYTES}`);
  return content;
}

/** @throws Error if the parameters do not fit the kind */
function checkDrawing(kind: CanvasKind, { messages, html }: Drawing): void {
  const needed = kind === 'a2ui' ? messages : html;
  const other = kind === 'a2ui' ? html : messages;
  if (needed === undefined || other !== undefined)
    throw new Error(kind === 'a2ui' ? 'a surface of kind a2ui takes messages' : 'a surface of kind html takes html');
  const bytes = Buffer.byteLength(html ?? '');
  if (bytes > MAX_PAGE_BYTES) throw new Error(`html has ${bytes} bytes; at most ${MAX_PAGE_BYTES}`);
}

/** @throws Error outside of a conversation with a person */
function turnOf({ turn, session }: CanvasCall): CallingTurn {
  if (!turn) throw new Error('a surface is drawn in a conversation only');
  if (session.channel === QUESTION_CHANNEL)
    throw new Error('the person does not see this conversation: describe the surface to the agent that has asked');
  return turn;
}
