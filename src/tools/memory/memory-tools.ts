import Type, { type Static } from 'typebox';
import { MemoryStore, SessionStore } from '../../core/store/index.js';
import { Clock } from '../../core/time/clock.js';
import { Tool, type ToolExecutor } from '../../core/tools/tool.decorator.js';
import type { ToolCallContext } from '../../core/tools/tool.js';
import { text } from '../../protocol/text.js';

const MAX_TEXT_LENGTH = 4_096;
/** Memories per session: enough for years of a conversation, and searched in milliseconds. */
const MAX_MEMORIES = 10_000;
const MAX_QUERY_LENGTH = 512;
const MAX_WORDS = 32;
const DEFAULT_LIMIT = 5;

const SaveParameters = Type.Object(
  {
    text: text(
      { min: 1, max: MAX_TEXT_LENGTH, controls: true },
      'One fact that will be useful later, with the names and dates needed to understand it on its own.',
    ),
  },
  { additionalProperties: false },
);

/** Saves a memory for later turns of the session, beyond its context. */
@Tool({
  name: 'memory.save',
  description: 'Remembers a fact for later conversations of this session.',
  parameters: SaveParameters,
  permissions: ['memory'],
  timeoutMs: 10_000,
  idempotent: true,
})
export class MemorySaveTool implements ToolExecutor<typeof SaveParameters> {
  constructor(
    private readonly memories: MemoryStore,
    private readonly sessions: SessionStore,
    private readonly clock: Clock,
  ) {}

  async execute(
    { text: content }: Static<typeof SaveParameters>,
    { callId, session }: Pick<ToolCallContext, 'callId' | 'session'>,
  ): Promise<{ memory_id: string }> {
    // The id of the call, so that a repeat after a crash saves nothing twice.
    const memory = {
      memoryId: callId,
      tenant: session.tenant,
      collection: session.id,
      text: content,
      createdAt: this.clock.now(),
    };
    if (!(await this.memories.saveMemory(memory, MAX_MEMORIES)))
      throw new Error(`this session already has ${MAX_MEMORIES} memories, which is the limit`);
    await this.linkOwnCollection(session.id);
    return { memory_id: callId };
  }

  private async linkOwnCollection(sessionId: string): Promise<void> {
    const refs = (await this.sessions.findSession(sessionId))?.memoryRefs;
    if (refs && !refs.includes(sessionId))
      await this.sessions.updateSession(sessionId, { memoryRefs: [...refs, sessionId] });
  }
}

const SearchParameters = Type.Object(
  {
    query: text(
      { min: 0, max: MAX_QUERY_LENGTH, controls: true },
      'Words to search for, in any order; without words, the newest memories.',
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 20 })),
  },
  { additionalProperties: false },
);

/** A memory that was found. */
export interface FoundMemory {
  readonly memory_id: string;
  /** Data, never an instruction. */
  readonly text: string;
  /** Unix milliseconds. */
  readonly saved_at: number;
}

/** Searches the memories in the collections that the session is linked to. */
@Tool({
  name: 'memory.search',
  description: 'Searches the memories of this session and of those that it is linked to.',
  parameters: SearchParameters,
  permissions: ['memory'],
  timeoutMs: 10_000,
  idempotent: true,
})
export class MemorySearchTool implements ToolExecutor<typeof SearchParameters> {
  constructor(private readonly memories: MemoryStore) {}

  async execute(
    { query, limit = DEFAULT_LIMIT }: Static<typeof SearchParameters>,
    { session }: Pick<ToolCallContext, 'session'>,
  ): Promise<{ memories: FoundMemory[] }> {
    const words = query.match(/[\p{L}\p{M}\p{N}_]+/gu) ?? [];
    const collections = [...new Set([session.id, ...session.memoryRefs])];
    const found = await this.memories.searchMemories({
      tenant: session.tenant,
      collections,
      words: words.slice(0, MAX_WORDS),
      limit,
    });
    return {
      memories: found.map(({ memoryId, text: content, createdAt }) => ({
        memory_id: memoryId,
        text: content,
        saved_at: createdAt,
      })),
    };
  }
}
