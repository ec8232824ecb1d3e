import { Injectable } from '@nestjs/common';
import { checkSize } from '../../protocol/codec.js';
import { GatewayError } from '../../protocol/index.js';
import { mayShowModel } from '../../core/agents/agent-definition.js';
import { Clock } from '../../core/time/clock.js';
import {
  AgentRuntime,
  type AgentEvent,
  type AgentTurn,
  type Piece,
  type RequestedCall,
  type TurnSubject,
} from '../../core/turns/agent-runtime.js';
import { demoEvents } from './demo.js';
import { describeStatus, listTools } from '../command-texts.js';
import { HELP, repeatOf } from './texts.js';

/** Commands that need more than the message. */
const RUN_COMMANDS = new Set(['status', 'tools', 'tool', 'blocks', 'wait', 'demo', 'fail']);
const MAX_BLOCKS = 10_000;
const MAX_WAIT_MS = 60_000;
/** Longer texts are repeated in a run, which lets other work pass. In UTF-16 units. */
const MAX_LENGTH_AT_ONCE = 4_096;
/** Text is sent in portions of about a sentence, as models send it. In UTF-16 units. */
const PORTION_LENGTH = 96;

/**
 * The runtime without a model (settings.md section 2): it repeats the message and runs a few commands, so that a new
 * installation works end to end and an operator can test a channel, a proxy or a crash. Like the runtime with a model, it
 * streams, records its answers and calls tools through the registry.
 */
@Injectable()
export class BuiltinRuntime extends AgentRuntime {
  override readonly name = 'builtin';

  constructor(private readonly clock: Clock) {
    super();
  }

  /** Not a generator itself, because each generator that an event passes costs several promises. */
  override run(turn: AgentTurn): AsyncGenerator<AgentEvent> {
    const { command } = turn;
    switch (command?.name) {
      case 'status':
        return this.say(turn, 'status', describeStatus(turn, 'model: none; the built-in agent answers'));
      case 'tools':
        return this.say(turn, 'status', listTools(turn.listTools()));
      case 'tool':
        return this.callTool(turn, command.argument);
      case 'blocks':
        return this.sendBlocks(turn, command.argument);
      case 'wait':
        return this.wait(turn, command.argument);
      case 'demo':
        return this.answerOnce(turn, demoEvents());
      case 'fail':
        throw new GatewayError('AGENT_FAILED', { reason: '/fail was asked for' });
      default:
        return this.answerOnce(turn, answerFrom(turn).map(toEvent));
    }
  }

  override answerNow(turn: TurnSubject): readonly Piece[] | undefined {
    const { message, command } = turn;
    const isLong = message.payload.content.length > MAX_LENGTH_AT_ONCE;
    return isLong || (command && RUN_COMMANDS.has(command.name)) ? undefined : answerFrom(turn);
  }

  /** Yields one answer without tool calls, unless an earlier run has recorded it. */
  private async *answerOnce(
    turn: AgentTurn,
    events: AsyncIterable<AgentEvent> | Iterable<AgentEvent>,
  ): AsyncGenerator<AgentEvent> {
    if (turn.recordedAnswer(0)) return;
    yield* events;
    if (turn.signal.aborted) return;
    yield { type: 'answer', answer: { toolCalls: [] }, isLast: true };
  }

  private say(turn: AgentTurn, blockType: 'status' | 'markdown', text: string): AsyncGenerator<AgentEvent> {
    return this.answerOnce(turn, inPortions(blockType, text).map(toEvent));
  }

  private sendBlocks(turn: AgentTurn, argument: string): AsyncGenerator<AgentEvent> {
    const [count, pauseMs = 0] = argument.split(/\s+/).map(Number);
    if (!isWithin(count, 1, MAX_BLOCKS) || !isWithin(pauseMs, 0, MAX_WAIT_MS)) {
      const usage = `Usage: /blocks N [MS] with N from 1 to ${MAX_BLOCKS} and MS from 0 to ${MAX_WAIT_MS}.`;
      return this.say(turn, 'status', usage);
    }
    return this.answerOnce(turn, this.blocks(turn, count, pauseMs));
  }

  private async *blocks(turn: AgentTurn, count: number, pauseMs: number): AsyncGenerator<AgentEvent> {
    for (let i = 1; i <= count; i++) {
      if (i > 1 && pauseMs > 0) await this.clock.sleep(pauseMs, turn.signal);
      if (turn.signal.aborted) return;
      yield { type: 'piece', piece: { blockType: 'text', text: `block ${i}`, ends: true } };
    }
  }

  private wait(turn: AgentTurn, argument: string): AsyncGenerator<AgentEvent> {
    const durationMs = argument === '' ? Number.NaN : Number(argument);
    if (!isWithin(durationMs, 0, MAX_WAIT_MS)) {
      return this.say(turn, 'status', `Usage: /wait MS with MS from 0 to ${MAX_WAIT_MS}.`);
    }
    return this.answerOnce(turn, this.waited(turn, durationMs));
  }

  private async *waited(turn: AgentTurn, durationMs: number): AsyncGenerator<AgentEvent> {
    await this.clock.sleep(durationMs, turn.signal);
    if (turn.signal.aborted) return;
    yield { type: 'piece', piece: { blockType: 'text', text: `waited ${durationMs}`, ends: true } };
  }

  private async *callTool(turn: AgentTurn, argument: string): AsyncGenerator<AgentEvent> {
    const call = parseCall(argument);
    if (typeof call === 'string') return yield* this.say(turn, 'status', call);
    if (!turn.recordedAnswer(0)) yield { type: 'answer', answer: { toolCalls: [call] } };
    await turn.callTool(0, 0, call);
  }
}

/** Parses `NAME {json}`; returns the fault as text if it is not that. */
function parseCall(argument: string): RequestedCall | string {
  const [tool = ''] = argument.split(/\s+/, 1);
  const source = argument.slice(tool.length).trim();
  if (tool === '') return 'Usage: /tool NAME {"parameter": "value"}. /tools lists the names.';
  try {
    // Before it is parsed: parsing tens of thousands of brackets blocks the event loop.
    checkSize(source);
    return { tool, parameters: source === '' ? {} : (JSON.parse(source) as unknown) };
  } catch {
    return `The parameters of ${tool} are not JSON, or too deep or too many. Usage: /tool NAME {"parameter": "value"}`;
  }
}

function isWithin(value: number | undefined, min: number, max: number): value is number {
  return value !== undefined && Number.isInteger(value) && value >= min && value <= max;
}

/** Returns the answer to a message that is none of {@link RUN_COMMANDS}. */
function answerFrom({ message, command, agent, session }: TurnSubject): Piece[] {
  if (command?.name === 'help') return inPortions('status', HELP);
  const model = mayShowModel(agent, session) ? agent.model : undefined;
  return inPortions('markdown', repeatOf(message.payload, model));
}

function inPortions(blockType: 'status' | 'markdown', text: string): Piece[] {
  const pieces: Piece[] = [];
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = start + PORTION_LENGTH;
    if (isHighSurrogate(text.charCodeAt(end - 1))) end++;
    pieces.push({ blockType, text: text.slice(start, end), ends: false });
  }
  pieces.push({ blockType, text: '', ends: true });
  return pieces;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd8_00 && unit <= 0xdb_ff;
}

function toEvent(piece: Piece): AgentEvent {
  return { type: 'piece', piece };
}
