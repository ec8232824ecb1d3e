import type { StreamBlock } from '../../../protocol/domain.js';
import { cut, type TextMeasure } from './cut.js';
import type { PartText } from '../driver.js';

/** The options by which a reply is divided into parts. */
export interface Layout {
  readonly showTools: boolean;
  /** A code block that is longer than a message becomes a file. */
  readonly takesFiles: boolean;
  readonly maxLength: number;
  readonly measure: TextMeasure;
}

/** Divides blocks into parts that each fit into one message. The blocks of a part are one message that grows. */
export function layOut(blocks: readonly StreamBlock[], layout: Layout): PartText[][] {
  const parts: PartText[][] = [];
  const texts: PartText[] = [];
  const cutTexts = () => parts.push(...cut(texts.splice(0), layout.maxLength, layout.measure));
  for (const given of blocks.flatMap((block) => toText(block, layout.showTools) ?? [])) {
    const isTooLong = layout.takesFiles && given.kind === 'code' && layout.measure([given]) > layout.maxLength;
    const text = isTooLong ? toFile(given) : given;
    if (text.source === undefined) texts.push(text);
    else {
      cutTexts();
      parts.push([text]);
    }
  }
  cutTexts();
  return parts;
}

/** Divides each block into parts of its own, so that a part is complete as soon as its block is. */
export function layOutEach(blocks: readonly StreamBlock[], layout: Layout): PartText[][] {
  return blocks.flatMap((block) => layOut([block], layout));
}

/** Returns what a channel shows of a block; undefined for nothing. */
function toText({ block_type: type, content, metadata = {} }: StreamBlock, showTools: boolean): PartText | undefined {
  switch (type) {
    case 'markdown':
    case 'text':
    case 'status':
      return content.trim() === '' ? undefined : { kind: type, text: content };
    case 'code': {
      const { language } = metadata;
      return { kind: 'code', text: content, ...(typeof language === 'string' && { language }) };
    }
    case 'tool_call':
      return showTools ? { kind: 'status', text: `${readTool(content)} …` } : undefined;
    case 'tool_result':
      return undefined;
    case 'image':
    case 'audio':
      return { kind: type, source: content, ...describe(type, metadata) };
    case 'canvas':
      return describeCanvas(metadata);
  }
}

/** Makes a file of a code block. */
function toFile({ text, language }: PartText): PartText {
  const extension = /^[a-z0-9]{1,10}$/i.test(language ?? '') ? language : 'txt';
  const source = `data:text/plain;base64,${Buffer.from(text).toString('base64')}`;
  return { kind: 'file', text: '[code]', name: `code.${extension}`, source };
}

function describe(type: string, { alt }: Readonly<Record<string, unknown>>): { text: string; alt?: string } {
  return typeof alt === 'string' ? { text: `[${type}: ${alt}]`, alt } : { text: `[${type}]` };
}

/** A surface is a note, with the link to its page if there is one. */
function describeCanvas(metadata: Readonly<Record<string, unknown>>): PartText {
  const { text } = describe('canvas', metadata);
  const { url } = metadata;
  return { kind: 'status', text: typeof url === 'string' ? `${text} ${url}` : text };
}

/** Returns the name of the tool that a `tool_call` block names. */
function readTool(content: string): string {
  return String((JSON.parse(content) as { readonly tool: unknown }).tool);
}
