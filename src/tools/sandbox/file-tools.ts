import Type, { type Static } from 'typebox';
import { Tool, type ToolExecutor } from '../../core/tools/tool.decorator.js';
import { text } from '../../protocol/text.js';
import { toPlainText } from '../plain-text.js';
import { WorkspaceFiles, type FileCall } from './workspace-files.js';

/** Limit of one read, in bytes. */
const MAX_READ_BYTES = 65_536;
/** Limit of one write, in characters. */
const MAX_WRITE_LENGTH = 196_608;
const MAX_ENTRIES = 1_000;
const MAX_LIST_BYTES = 1_048_576;

const Path = text(
  { min: 1, max: 1_024, controls: false },
  'In the folder of this session, for example `notes/today.md`.',
);

const ReadParameters = Type.Object(
  {
    path: Path,
    offset: Type.Optional(
      Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'First byte to read; 0 by default.' }),
    ),
  },
  { additionalProperties: false },
);

/** Reads a text file. */
@Tool({
  name: 'files.read',
  description: `Reads a text file of this session, at most ${MAX_READ_BYTES} bytes at a time.`,
  parameters: ReadParameters,
  permissions: ['files'],
  idempotent: true,
  sandbox: true,
})
export class FilesReadTool implements ToolExecutor<typeof ReadParameters> {
  constructor(private readonly files: WorkspaceFiles) {}

  async execute(
    { path, offset = 0 }: Static<typeof ReadParameters>,
    call: FileCall,
  ): Promise<{ content: string; size_bytes: number; next_offset?: number }> {
    // Reading a pipe or a device might never end.
    const script =
      '[ -f "$1" ] || { echo "no such file" >&2; exit 1; }; wc -c < "$1" && tail -c "+$2" -- "$1" | head -c "$3"';
    const printed = await this.files.run(
      call,
      script,
      path,
      [String(offset + 1), String(MAX_READ_BYTES)],
      MAX_READ_BYTES + 64,
    );
    const lineEnd = printed.indexOf('\n');
    const sizeBytes = Number(printed.subarray(0, lineEnd).toString().trim());
    const content = printed.subarray(lineEnd + 1);
    const end = offset + content.length;
    return {
      content: toPlainText(content.toString()),
      size_bytes: sizeBytes,
      ...(end < sizeBytes && { next_offset: end }),
    };
  }
}

const WriteParameters = Type.Object(
  { path: Path, content: text({ min: 0, max: MAX_WRITE_LENGTH, controls: true }) },
  { additionalProperties: false },
);

/** Writes a text file atomically. */
@Tool({
  name: 'files.write',
  description: 'Writes a text file of this session, and creates its folders; replaces an existing file.',
  parameters: WriteParameters,
  permissions: ['files'],
  sandbox: true,
})
export class FilesWriteTool implements ToolExecutor<typeof WriteParameters> {
  constructor(private readonly files: WorkspaceFiles) {}

  async execute({ path, content }: Static<typeof WriteParameters>, call: FileCall): Promise<{ size_bytes: number }> {
    await this.files.checkRoom(call);
    const script =
      '[ ! -d "$1" ] || { echo "it is a folder" >&2; exit 1; }; mkdir -p -- "$(dirname -- "$1")" && ' +
      '{ { cat > "$1.part" && mv -- "$1.part" "$1"; } || { rm -f -- "$1.part"; exit 1; }; }';
    const input = Buffer.from(content);
    await this.files.run(call, script, path, [], MAX_READ_BYTES, input);
    return { size_bytes: input.length };
  }
}

const ListParameters = Type.Object({ path: Type.Optional(Path) }, { additionalProperties: false });

/** An entry of a folder. */
export interface ListedFile {
  readonly name: string;
  readonly type: 'file' | 'folder' | 'other';
  readonly size_bytes: number;
  /** Time of the last change, in Unix milliseconds. */
  readonly changed_at: number;
}

/** Lists a folder. */
@Tool({
  name: 'files.list',
  description: `Lists a folder of this session, at most ${MAX_ENTRIES} entries.`,
  parameters: ListParameters,
  permissions: ['files'],
  idempotent: true,
  sandbox: true,
})
export class FilesListTool implements ToolExecutor<typeof ListParameters> {
  constructor(private readonly files: WorkspaceFiles) {}

  async execute(
    { path = '.' }: Static<typeof ListParameters>,
    call: FileCall,
  ): Promise<{ entries: ListedFile[]; more: boolean }> {
    const script = 'cd -- "$1" && find . ! -name . -prune -exec stat -c "%F/%s/%Y/%n" {} + | head -n "$2"';
    const printed = await this.files.run(call, script, path, [String(MAX_ENTRIES + 1)], MAX_LIST_BYTES);
    const entries = printed.toString().split('\n').flatMap(parseEntry);
    return {
      entries: entries.slice(0, MAX_ENTRIES).sort((a, b) => (a.name < b.name ? -1 : 1)),
      more: entries.length > MAX_ENTRIES,
    };
  }
}

function parseEntry(line: string): ListedFile[] {
  const [, kind = '', size = '', seconds = '', name = ''] = /^([^/]+)\/(\d+)\/(\d+)\/\.\/(.+)$/.exec(line) ?? [];
  if (name === '') return [];
  const type = kind === 'directory' ? 'folder' : kind.startsWith('regular') ? 'file' : 'other';
  return [{ name: toPlainText(name), type, size_bytes: Number(size), changed_at: Number(seconds) * 1_000 }];
}
