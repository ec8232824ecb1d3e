import type { Priority } from '../../core/store/index.js';
import { LaneHeap, type HeapSeat } from './lane-heap.js';

/** The fields of a message that the index needs. `ord` grows with each accepted message: the smaller, the older. */
export interface LaneMessage {
  readonly ord: number;
  readonly session: number | string;
  readonly priority: Priority;
}

/** 0 for priority 10, 1 for 5, 2 for 1: the place of a priority's line. */
type Level = 0 | 1 | 2;
const LEVELS: readonly Level[] = [0, 1, 2];
const LOWEST: Level = 2;

/** After so many claims of a higher priority, one of a lower that waits gets its turn. */
const CLAIMS_BEFORE_LOWER = 4;

/**
 * The order of all unfinished messages, in memory: which one runs next, and how many stand before another.
 *
 * Each session is a lane: three first-in-first-out lines (priority 10, 5, 1), at most one message that runs, and at most
 * one that comes before all lines because its run was cut short. Lanes that can run wait in a heap for each priority,
 * lanes that wait for a retry in a heap by time. To enqueue costs the same at any depth; a lane without messages is dropped.
 */
export class LaneIndex<M extends LaneMessage> {
  private readonly lanes = new Map<M['session'], Lane<M>>();
  private readonly nodes = new Map<number, Node<M>>();
  private readonly ready = [new LaneHeap<Lane<M>>(), new LaneHeap<Lane<M>>(), new LaneHeap<Lane<M>>()] as const;
  private readonly delayed = new LaneHeap<Lane<M>>();
  /** For each level of priority: claims of higher levels since its last one, while it had a lane to run. */
  private readonly passedOver: [number, number, number] = [0, 0, 0];
  private runningCount = 0;

  /** Adds a message at the end of its line. Returns how many waiting messages are ahead of it. */
  enqueue(message: M): number {
    const lane = this.laneOf(message.session);
    const line = lane.lines[levelOf(message.priority)];
    const node: Node<M> = { message, lane, line, before: undefined, after: undefined };
    this.nodes.set(message.ord, node);
    const ahead = lane.waitingAtLeast(levelOf(message.priority));
    line.push(node);
    this.settle(lane);
    return ahead;
  }

  /** Adds a message whose run was cut short: it comes first in its session, from `notBefore` on. */
  enqueueFirst(message: M, notBefore = 0): void {
    const lane = this.laneOf(message.session);
    const node: Node<M> = { message, lane, line: undefined, before: undefined, after: undefined };
    this.nodes.set(message.ord, node);
    lane.first = node;
    lane.notBefore = notBefore;
    this.settle(lane);
  }

  /** Adds a message that runs already, as after {@link take}: for rebuilding the index. */
  addRunning(message: M): void {
    const lane = this.laneOf(message.session);
    const node: Node<M> = { message, lane, line: undefined, before: undefined, after: undefined };
    this.nodes.set(message.ord, node);
    lane.running = node;
    this.runningCount++;
    this.settle(lane);
  }

  /** The next message to run, by priority, then age, then fairness; it runs from now on. */
  take(now: number): M | undefined {
    for (let lane = this.delayed.first; lane && lane.notBefore <= now; lane = this.delayed.first) {
      lane.notBefore = 0;
      this.settle(lane);
    }
    const level = this.nextLevel();
    const lane = this.ready[level].first;
    if (!lane) return undefined;
    this.passedOver[level] = 0;
    for (const lower of LEVELS.slice(level + 1)) {
      this.passedOver[lower] = this.ready[lower].first ? this.passedOver[lower] + 1 : 0;
    }
    const node = lane.takeNext();
    this.runningCount++;
    this.settle(lane);
    return node?.message;
  }

  /** Puts a running message back to the front of its session, not to run before `notBefore`. */
  release(ord: number, notBefore = 0): void {
    const node = this.nodes.get(ord);
    if (!node || node.lane.running !== node) return;
    const lane = node.lane;
    lane.running = undefined;
    this.runningCount--;
    lane.first = node;
    lane.notBefore = notBefore;
    this.settle(lane);
  }

  /** Ends the wait of a message for its retry: it may run at once. */
  hurry(ord: number): void {
    const node = this.nodes.get(ord);
    if (!node || node.lane.first !== node) return;
    node.lane.notBefore = 0;
    this.settle(node.lane);
  }

  /** Takes a message out for good, whether it waits or runs. */
  remove(ord: number): void {
    const node = this.nodes.get(ord);
    if (!node) return;
    const lane = node.lane;
    this.nodes.delete(ord);
    if (lane.running === node) {
      lane.running = undefined;
      this.runningCount--;
    } else if (lane.first === node) {
      lane.first = undefined;
    } else {
      node.line?.remove(node);
    }
    this.settle(lane);
  }

  find(ord: number): M | undefined {
    return this.nodes.get(ord)?.message;
  }

  isRunning(ord: number): boolean {
    const node = this.nodes.get(ord);
    return node !== undefined && node.lane.running === node;
  }

  /** Waiting messages of its session ahead of this one; 0 when it does not wait. Counts along its line. */
  position(ord: number): number {
    const node = this.nodes.get(ord);
    if (!node?.line) return 0;
    let ahead = node.lane.waitingAtLeast(levelOf(node.message.priority)) - node.line.size;
    for (let earlier = node.before; earlier; earlier = earlier.before) ahead++;
    return ahead;
  }

  /** The message of a session that runs. */
  runningIn(session: M['session']): M | undefined {
    return this.lanes.get(session)?.running?.message;
  }

  /** How many messages of a session wait or run. */
  countIn(session: M['session']): number {
    return this.lanes.get(session)?.size ?? 0;
  }

  /** The messages of a session: the running one, then the others as they will run. */
  messagesIn(session: M['session']): M[] {
    const lane = this.lanes.get(session);
    if (!lane) return [];
    const messages = [lane.running, lane.first].flatMap((node) => (node ? [node.message] : []));
    for (const line of lane.lines) {
      for (let node = line.head; node; node = node.after) messages.push(node.message);
    }
    return messages;
  }

  /** Sessions with a message that waits or runs. */
  sessions(): Iterable<M['session']> {
    return this.lanes.keys();
  }

  /** Messages that wait or run. */
  get size(): number {
    return this.nodes.size;
  }

  get running(): number {
    return this.runningCount;
  }

  /** When the first of the messages that wait for a retry is due. */
  get nextDueAt(): number | undefined {
    return this.delayed.first?.notBefore;
  }

  private laneOf(session: M['session']): Lane<M> {
    let lane = this.lanes.get(session);
    if (!lane) this.lanes.set(session, (lane = new Lane(session)));
    return lane;
  }

  /** The lowest level that was passed over long enough, else the highest that has a lane. */
  private nextLevel(): Level {
    const due = LEVELS.findLast((level) => this.passedOver[level] >= CLAIMS_BEFORE_LOWER && this.ready[level].first);
    return due ?? LEVELS.find((level) => this.ready[level].first) ?? LOWEST;
  }

  /** Moves a lane to the heap in which it belongs after a change, or drops it when it is empty. */
  private settle(lane: Lane<M>): void {
    if (lane.size === 0) this.lanes.delete(lane.session);
    const next = lane.running ? undefined : lane.next;
    let heap: LaneHeap<Lane<M>> | undefined;
    let key = 0;
    if (next && lane.notBefore > 0 && next === lane.first) {
      heap = this.delayed;
      key = lane.notBefore;
    } else if (next) {
      heap = this.ready[levelOf(next.message.priority)];
      key = next.message.ord;
    }
    if (lane.heap === heap && lane.key === key) return;
    lane.heap?.delete(lane);
    lane.heap = heap;
    lane.key = key;
    heap?.add(lane);
  }
}

interface Node<M extends LaneMessage> {
  readonly message: M;
  readonly lane: Lane<M>;
  /** Undefined once it has left its line: it runs, or comes before all lines. */
  line: Line<M> | undefined;
  before: Node<M> | undefined;
  after: Node<M> | undefined;
}

/** A linked first-in-first-out line: a message in its middle can leave without moving the others. */
class Line<M extends LaneMessage> {
  head: Node<M> | undefined;
  private tail: Node<M> | undefined;
  size = 0;

  push(node: Node<M>): void {
    node.before = this.tail;
    if (this.tail) this.tail.after = node;
    else this.head = node;
    this.tail = node;
    this.size++;
  }

  remove(node: Node<M>): void {
    if (node.before) node.before.after = node.after;
    else this.head = node.after;
    if (node.after) node.after.before = node.before;
    else this.tail = node.before;
    node.before = node.after = undefined;
    node.line = undefined;
    this.size--;
  }
}

class Lane<M extends LaneMessage> implements HeapSeat {
  readonly lines = [new Line<M>(), new Line<M>(), new Line<M>()] as const;
  running: Node<M> | undefined;
  first: Node<M> | undefined;
  notBefore = 0;
  heap: LaneHeap<Lane<M>> | undefined;
  key = 0;
  place = -1;

  constructor(readonly session: M['session']) {}

  get size(): number {
    return (this.running ? 1 : 0) + this.waitingAtLeast(LOWEST);
  }

  get next(): Node<M> | undefined {
    return this.first ?? this.lines[0].head ?? this.lines[1].head ?? this.lines[2].head;
  }

  /** Waiting messages of this level and of higher ones, with the one that comes before all. */
  waitingAtLeast(level: Level): number {
    let count = (this.first ? 1 : 0) + this.lines[0].size;
    if (level >= 1) count += this.lines[1].size;
    if (level >= 2) count += this.lines[2].size;
    return count;
  }

  /** Makes the next message the running one; undefined when there is none. */
  takeNext(): Node<M> | undefined {
    const node = this.next;
    if (node && node === this.first) this.first = undefined;
    else node?.line?.remove(node);
    this.running = node;
    return node;
  }
}

function levelOf(priority: Priority): Level {
  return priority === 10 ? 0 : priority === 5 ? 1 : 2;
}
