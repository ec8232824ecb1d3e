import { open, stat } from 'node:fs/promises';
import { constants } from 'node:fs';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { listAgentIds, readEffective, type AgentDefinition } from '../../core/agents/agent-definition.js';
import { AgentsService } from '../../core/agents/agents.service.js';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import type { SettingFault, SettingsReader } from '../../core/config/section.js';
import { StartStep } from '../../core/lifecycle/steps.js';
import { Logs, type Log } from '../../core/telemetry/logs.js';

/** Maximum size of one file, and of all files of an agent together, in bytes. */
const MAX_FILE_BYTES = 65_536;
const MAX_BYTES = 262_144;
const TOO_LONG = `together larger than ${MAX_BYTES} bytes`;

/** A file as it was read last. */
interface Known {
  /** Changes with the file, also when a link leads to another one. */
  readonly stamp: string;
  /** The last text that could be read; undefined if there was none. */
  readonly text: string | undefined;
  /** Why the file cannot be read now. */
  readonly fault: string | undefined;
}

type AgentFiles = Pick<AgentDefinition, 'id' | 'promptFiles'>;

/**
 * The texts that follow the system prompts of agents. They are read again when their files change. A file that cannot be
 * read prevents the start; later the last good text stays.
 */
@Injectable()
export class PromptFiles {
  private readonly log: Log;
  /** By absolute path. */
  private readonly known = new Map<string, Known>();
  /** By agent: the last texts that were not too long together. */
  private readonly good = new Map<string, readonly string[]>();

  constructor(
    private readonly config: ConfigStoreService,
    private readonly agents: AgentsService,
    logs: Logs,
  ) {
    this.log = logs.for('agent');
    config.addCheck(findNewFaults.bind(undefined, config.folder));
  }

  /** @throws Error with every file that cannot be read */
  @StartStep({ name: 'read prompt files', phase: 'configure', after: ['apply run-time settings'] })
  async check(): Promise<void> {
    const faults: SettingFault[] = [];
    for (const agent of this.agents.list()) {
      const key = keyOf(agent.id);
      const texts = await this.readFiles(agent, (path, fault) => faults.push({ key, message: `${path} ${fault}` }));
      if (isTooLong(texts)) faults.push({ key, message: TOO_LONG });
      else this.good.set(agent.id, texts);
    }
    if (faults.length === 0) return;
    const lines = faults.map((fault) => {
      const { key, message } = this.config.sourceOf(fault.key) === 'run time' ? this.config.nameSource(fault) : fault;
      return `  - ${key}: ${message}`;
    });
    throw new Error(`Prompt files cannot be read; nothing was started:\n${lines.join('\n')}`);
  }

  /** Returns the texts of an agent's files, in their order. */
  async read(agent: AgentFiles): Promise<readonly string[]> {
    if (agent.promptFiles.length === 0) return [];
    const texts = await this.readFiles(agent, (path, fault) =>
      this.log.warn({ agent: agent.id, path, fault }, 'a prompt file cannot be read; its last good text stays'),
    );
    const good = this.good.get(agent.id);
    if (!isTooLong(texts)) this.good.set(agent.id, texts);
    else
      this.log.warn(
        { agent: agent.id, max_bytes: MAX_BYTES },
        'prompt files are too large together; their last good texts stay',
      );
    return isTooLong(texts) ? (good ?? []) : texts;
  }

  /** @param onFault called for a fault that is new */
  private async readFiles(
    { promptFiles }: AgentFiles,
    onFault: (path: string, fault: string) => void,
  ): Promise<string[]> {
    const texts: string[] = [];
    for (const file of promptFiles) {
      const path = resolve(this.config.folder, file);
      const before = this.known.get(path);
      const now = await readAgain(path, before);
      this.known.set(path, now);
      if (now.fault !== undefined && now.fault !== before?.fault) onFault(path, now.fault);
      if (now.text !== undefined) texts.push(now.text);
    }
    return texts;
  }
}

function keyOf(agent: string): string {
  return `agents.${agent}.prompt_files`;
}

/** Finds what would prevent the next start in the lists of files that a change at run time alters. */
async function findNewFaults(
  folder: string,
  before: SettingsReader,
  after: SettingsReader,
): Promise<readonly SettingFault[]> {
  const faults: SettingFault[] = [];
  for (const id of listAgentIds(after)) {
    const { prompt_files: files } = readEffective(after, id);
    if (isDeepStrictEqual(files, readEffective(before, id).prompt_files)) continue;
    const found = await Promise.all(
      files.map(async (file) => ({ file, ...(await readAgain(resolve(folder, file), undefined)) })),
    );
    const broken = found.filter(({ fault }) => fault !== undefined);
    for (const { file, fault } of broken)
      faults.push({ key: keyOf(id), message: `${resolve(folder, file)} ${fault ?? ''}` });
    if (isTooLong(found.flatMap(({ text }) => text ?? []))) faults.push({ key: keyOf(id), message: TOO_LONG });
  }
  return faults;
}

function isTooLong(texts: readonly string[]): boolean {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) > MAX_BYTES;
}

async function readAgain(path: string, before: Known | undefined): Promise<Known> {
  let stamp = '';
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = await stat(path);
    stamp = [dev, ino, size, mtimeMs, ctimeMs].join(':');
    if (before?.stamp === stamp) return before;
    return { stamp, text: await readText(path), fault: undefined };
  } catch (error) {
    return { stamp, text: before?.text, fault: describe(error as NodeJS.ErrnoException) };
  }
}

/** @throws Error with the fault */
async function readText(path: string): Promise<string> {
  // A pipe would wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new Error('is not a file');
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead > MAX_FILE_BYTES) throw new Error(`is larger than ${MAX_FILE_BYTES} bytes`);
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead)).trim();
  } finally {
    await file.close();
  }
}

function describe(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'does not exist';
  if (error.code === 'EISDIR') return 'is not a file';
  if (error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not UTF-8 text';
  return error.message;
}
