import type { Priority } from '../../../core/store/index.js';
import { LaneHeap, type HeapSeat } from './lane-heap.js';

/** The fields of a message that the index needs. `ord` grows with each accepted message. */
export interface LaneMessage {
  readonly ord: number;
  readonly session: number | string;
  readonly priority: Priority;
}

/** The index of a priority's line: 0 for priority 10, 1 for 5, 2 for 1. */
type Level = 0 | 1 | 2;
const LEVELS: readonly Level[] = [0, 1, 2];
const LOWEST: Level = 2;

/** Claims of higher priorities after which a waiting one of a lower priority is claimed. */
const CLAIMS_BEFORE_LOWER = 4;

/**
 * The order of all unfinished messages, in memory: which one runs next, and how many are ahead of a given one.
 *
 * Each session is a lane: three first-in-first-out lines (priority 10, 5, 1), at most one running message, and at most
 * one message ahead of all lines because its run was interrupted. Lanes that can run are in one heap per priority,
 * lanes that wait for a retry in a heap by time. Enqueuing costs the same at any depth; an empty lane is dropped.
 */
export class LaneIndex<M extends LaneMessage> {
  private readonly lanes = new Map<M['session'], Lane<M>>();
  private readonly nodes = new Map<number, Node<M>>();
  private readonly ready = makeHeaps<M>();
  private readonly delayed = new LaneHeap<Lane<M>>();
  /** By level: claims of higher levels since the last claim of this level, while it had a lane to run. */
  private readonly passedOver: [number, number, number] = [0, 0, 0];
  /** By group without room: its lanes that would be ready. */
  private readonly parked = new Map<string, ReadyHeaps<M>>();
  private runningCount = 0;

  /** @param groupOf returns the group of a message, whose running messages may be limited */
  constructor(private readonly groupOf: (message: M) => string = () => '') {}

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

  /** Adds a message whose run was interrupted: it is the next one of its session, from `notBefore` on. */
  enqueueFirst(message: M, notBefore = 0): void {
    const lane = this.laneOf(message.session);
    const node: Node<M> = { message, lane, line: undefined, before: undefined, after: undefined };
    this.nodes.set(message.ord, node);
    lane.first = node;
    lane.notBefore = notBefore;
    this.settle(lane);
  }

  /** Adds a running message, as if {@link take} had returned it; for rebuilding the index. */
  addRunning(message: M): void {
    const lane = this.laneOf(message.session);
    const node: Node<M> = { message, lane, line: undefined, before: undefined, after: undefined };
    this.nodes.set(message.ord, node);
    lane.running = node;
    this.runningCount++;
    this.settle(lane);
  }

  /**
   * Returns the next message to run, by priority, age and fairness, and marks it as running.
   * @param rooms by group that is limited: how many more of its messages may run. The message that is returned takes a room.
   */
  take(now: number, rooms?: Map<string, number>): M | undefined {
    for (let lane = this.delayed.first; lane && lane.notBefore <= now; lane = this.delayed.first) {
      lane.notBefore = 0;
      this.settle(lane);
    }
    const { level, lane } = this.findNext(rooms);
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

  /** Makes as many lanes of each group ready again as it has room for; all of a group that is not limited. */
  unpark(rooms?: ReadonlyMap<string, number>): void {
    for (const [group, heaps] of this.parked) {
      for (let room = rooms?.get(group) ?? Infinity; room > 0; room--) {
        const lane = LEVELS.map((level) => heaps[level].first).find((first) => first !== undefined);
        if (!lane) {
          this.parked.delete(group);
          break;
        }
        this.settle(lane);
      }
    }
  }

  /** Finds the next lane to run, and parks those before it whose group has no room. */
  private findNext(rooms: Map<string, number> | undefined): { readonly level: Level; readonly lane?: Lane<M> } {
    for (;;) {
      const level = this.nextLevel();
      const lane = this.ready[level].first;
      if (!lane || rooms === undefined) return { level, ...(lane && { lane }) };
      const group = lane.next && this.groupOf(lane.next.message);
      const room = group === undefined ? undefined : rooms.get(group);
      if (group === undefined || room === undefined) return { level, lane };
      if (room > 0) {
        rooms.set(group, room - 1);
        return { level, lane };
      }
      let heaps = this.parked.get(group);
      if (!heaps) this.parked.set(group, (heaps = makeHeaps<M>()));
      move(lane, heaps[level], lane.key);
    }
  }

  /** Returns the next message of one session and marks it as running; undefined if it has none that may run now. */
  takeIn(session: M['session'], now: number): M | undefined {
    const lane = this.lanes.get(session);
    if (!lane || lane.running || lane.notBefore > now) return undefined;
    lane.notBefore = 0;
    const node = lane.takeNext();
    if (node) this.runningCount++;
    this.settle(lane);
    return node?.message;
  }

  /** Puts a running message back at the front of its session; it may run from `notBefore` on. */
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

  /** Ends a message's wait for its retry, so that it may run immediately. */
  hurry(ord: number): void {
    const node = this.nodes.get(ord);
    if (!node || node.lane.first !== node) return;
    node.lane.notBefore = 0;
    this.settle(node.lane);
  }

  /** Removes a waiting or running message. */
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

  /**
   * Returns the number of waiting messages ahead of this one in its session; 0 if it does not wait. Linear in its line.
   */
  position(ord: number): number {
    const node = this.nodes.get(ord);
    if (!node?.line) return 0;
    let ahead = node.lane.waitingAtLeast(levelOf(node.message.priority)) - node.line.size;
    for (let earlier = node.before; earlier; earlier = earlier.before) ahead++;
    return ahead;
  }

  /** Returns the running message of a session. */
  runningIn(session: M['session']): M | undefined {
    return this.lanes.get(session)?.running?.message;
  }

  /** Returns how many messages of a session wait or run. */
  countIn(session: M['session']): number {
    return this.lanes.get(session)?.size ?? 0;
  }

  /** Returns the messages of a session: the running one, then the others in the order in which they will run. */
  messagesIn(session: M['session']): M[] {
    const lane = this.lanes.get(session);
    if (!lane) return [];
    const messages = [lane.running, lane.first].flatMap((node) => (node ? [node.message] : []));
    for (const line of lane.lines) {
      for (let node = line.head; node; node = node.after) messages.push(node.message);
    }
    return messages;
  }

  /** The number of waiting and running messages. */
  get size(): number {
    return this.nodes.size;
  }

  /** The message that has waited longest. Messages are added in the order of their age, and few run at a time. */
  get oldestWaiting(): M | undefined {
    return this.nodes.values().find((node) => node.lane.running !== node)?.message;
  }

  get running(): number {
    return this.runningCount;
  }

  /** The time at which the next message that waits for a retry is due. */
  get nextDueAt(): number | undefined {
    return this.delayed.first?.notBefore;
  }

  private laneOf(session: M['session']): Lane<M> {
    let lane = this.lanes.get(session);
    if (!lane) this.lanes.set(session, (lane = new Lane(session)));
    return lane;
  }

  /** Returns the lowest level that was passed over often enough, else the highest that has a lane. */
  private nextLevel(): Level {
    const due = LEVELS.findLast((level) => this.passedOver[level] >= CLAIMS_BEFORE_LOWER && this.ready[level].first);
    return due ?? LEVELS.find((level) => this.ready[level].first) ?? LOWEST;
  }

  /** Moves a changed lane to the heap that it belongs to, or drops it if it is empty. */
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
    if (lane.heap !== heap || lane.key !== key) move(lane, heap, key);
  }
}

/** Lanes that can run, by level. */
type ReadyHeaps<M extends LaneMessage> = readonly [LaneHeap<Lane<M>>, LaneHeap<Lane<M>>, LaneHeap<Lane<M>>];

function makeHeaps<M extends LaneMessage>(): ReadyHeaps<M> {
  return [new LaneHeap<Lane<M>>(), new LaneHeap<Lane<M>>(), new LaneHeap<Lane<M>>()];
}

function move<M extends LaneMessage>(lane: Lane<M>, heap: LaneHeap<Lane<M>> | undefined, key: number): void {
  lane.heap?.delete(lane);
  lane.heap = heap;
  lane.key = key;
  heap?.add(lane);
}

interface Node<M extends LaneMessage> {
  readonly message: M;
  readonly lane: Lane<M>;
  /** Undefined once it has left its line: it runs, or is ahead of all lines. */
  line: Line<M> | undefined;
  before: Node<M> | undefined;
  after: Node<M> | undefined;
}

/** A linked first-in-first-out line, from whose middle a message can be removed in constant time. */
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

  /** Returns the number of waiting messages of this level and above, including the one ahead of all lines. */
  waitingAtLeast(level: Level): number {
    let count = (this.first ? 1 : 0) + this.lines[0].size;
    if (level >= 1) count += this.lines[1].size;
    if (level >= 2) count += this.lines[2].size;
    return count;
  }

  /** Makes the next message the running one and returns it; undefined if there is none. */
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
