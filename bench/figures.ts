/** One line of the table: what is measured, and what would be good. All but G8 are ratios; smaller is better. */
export interface Figure {
  readonly id: string;
  readonly title: string;
  readonly goal: number;
  readonly stretch: number;
  readonly unit?: 'MB';
  /** Where the cost goes, told when the goal is missed. */
  readonly cost?: string;
}

export const figures: readonly Figure[] = [
  {
    id: 'G1',
    title: 'CPU per durable ack, 256 in flight / plain `ws` ack that stores nothing',
    goal: 1.5,
    stretch: 1,
    cost: 'half of it is the thread of the store: measured alone, accepting costs 16 us a message in commits of 200, 27 in commits of 20 and 67 in commits of 5, since a commit costs about a quarter of a millisecond of CPU whatever it holds; the other half, the main thread, is spread thin over parsing, checking, hashing, two hops between threads and the socket',
  },
  {
    id: 'G2',
    title: 'the same, 3,200 in flight',
    goal: 1.2,
    stretch: 0.8,
    cost: 'as G1; the yardstick gains as much from larger reads as the gateway from larger commits',
  },
  {
    id: 'G3',
    title: 'CPU of a complete built-in turn (ack, block, end) / plain `ws` ack',
    goal: 8,
    stretch: 5,
    cost: 'three commits lie one behind the other (accepted, claimed, ended), each of them 25 to 30 us a turn in the thread of the store when 20 turns share it; the main thread costs as much again, and no single function stands out',
  },
  {
    id: 'G4',
    title: 'lone durable ack, p50 / one SQLite FULL commit, p50',
    goal: 3,
    stretch: 2,
    cost: 'the message crosses to the thread of the store and back; each crossing waits for a thread to wake up, and the commit itself writes more pages than the one of the yardstick',
  },
  {
    id: 'G5',
    title: 'fan-out CPU per frame, 200 watchers, bursts / `JSON.stringify` and `ws.send` for each',
    goal: 0.2,
    stretch: 0.1,
  },
  {
    id: 'G6',
    title: 'memory per idle connection at 5,000 / plain `ws`',
    goal: 1.8,
    stretch: 1.3,
    cost: 'resident memory, so garbage of the handshakes counts as well; what a connection itself holds has not been taken apart',
  },
  { id: 'G7', title: 'CPU until ready / `node -e "require(\'ws\')"`', goal: 12, stretch: 6 },
  { id: 'G8', title: 'memory when ready', goal: 160, stretch: 110, unit: 'MB' },
  { id: 'G9', title: 'enqueue cost at depth 20,000 / at depth 1,000, one session', goal: 2, stretch: 1.2 },
  {
    id: 'G10',
    title: 'longest event-loop block by an accepted frame / parsing 64 KiB of objects',
    goal: 4,
    stretch: 2,
    cost: 'ten thousand keys in one object: each is looked at by the parser, the schema and the sort that makes one text for one meaning; an answer of ten thousand blocks becomes one record at its end',
  },
];
