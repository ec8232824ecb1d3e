import Type, { type Static } from 'typebox';

/** The kinds of block in a reply (the chapter's `BlockType`). */
export const BlockType = Type.Enum([
  'text',
  'code',
  'markdown',
  'tool_call',
  'tool_result',
  'canvas',
  'image',
  'audio',
  'status',
]);
export type BlockType = Static<typeof BlockType>;

/**
 * One typed piece of a reply. `content` is text for text, markdown, code and status; JSON for tool_call
 * {call_id, tool, parameters}, tool_result {call_id, ok, status, decided_by?, content} and canvas; a URL on this gateway
 * or a data URL for image and audio, with `metadata.mime_type` and `metadata.alt`.
 */
export const StreamBlock = Type.Object({
  block_id: Type.String(),
  block_type: BlockType,
  content: Type.String(),
  metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: '`language` for code.' })),
});
export type StreamBlock = Static<typeof StreamBlock>;
