/** One row of the table: a measured value and its goals. All but G8 are ratios; smaller is better. */
export interface Figure {
  readonly id: string;
  readonly title: string;
  readonly goal: number;
  readonly stretch: number;
  readonly unit?: 'MB';
  /** Where the cost arises, printed when the goal is missed. */
  readonly cost?: string;
}

export const figures: readonly Figure[] = [
  {
    id: 'G1',
    title: 'CPU per durable ack, 256 in flight / plain `ws` ack that stores nothing',
    goal: 2.4,
    stretch: 1.8,
    cost: 'half of it is the thread of the store: measured alone, accepting costs 16 us per message in commits of 200, 27 in commits of 20 and 67 in commits of 5, since a commit costs about 0.25 ms of CPU regardless of its size; the other half, the main thread, is spread evenly over parsing, checking, hashing, two hops between threads and the socket',
  },
  {
    id: 'G1o',
    title: 'the same for group messages that are observed',
    goal: 2.4,
    stretch: 1.8,
    cost: 'as G1',
  },
  {
    id: 'G2',
    title: 'CPU per durable ack, 3,200 in flight / plain `ws` ack',
    goal: 2.2,
    stretch: 1.6,
    cost: 'as G1; the baseline gains as much from larger reads as the gateway from larger commits',
  },
  {
    id: 'G2o',
    title: 'the same for group messages that are observed',
    goal: 2.2,
    stretch: 1.6,
    cost: 'as G1',
  },
  {
    id: 'G3',
    title: 'CPU of a complete built-in turn (ack, block, end) / plain `ws` ack',
    goal: 6,
    stretch: 5,
    cost: 'two sequential commits (accepted and claimed, ended) cost 35 us per turn in the thread of the store when 60 turns share them, half of it SQLite; the main thread costs as much again, of which passing data between the threads, the socket and parsing are the largest parts',
  },
  {
    id: 'G4',
    title: 'lone durable ack, p50 / one SQLite FULL commit, p50',
    goal: 3,
    stretch: 2,
    cost: 'the message crosses to the thread of the store and back; each crossing waits for a thread to wake up, and the commit writes more pages than that of the baseline',
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
    goal: 1.5,
    stretch: 1.3,
  },
  { id: 'G7', title: 'CPU until ready / `node -e "require(\'ws\')"`', goal: 12, stretch: 6 },
  { id: 'G8', title: 'memory when ready', goal: 160, stretch: 110, unit: 'MB' },
  { id: 'G9', title: 'enqueue cost at depth 20,000 / at depth 1,000, one session', goal: 2, stretch: 1.2 },
  {
    id: 'G10',
    title: 'longest event-loop block by an accepted frame / parsing 64 KiB of objects',
    goal: 4,
    stretch: 2,
    cost: 'the costliest frames are those with the most keys, and a reply of ten thousand blocks, which is collected while it runs: about 2 ms of CPU each',
  },
  {
    id: 'G12a',
    title: 'CPU per ack, random ids: 2 million messages stored / 10 thousand',
    goal: 1.3,
    stretch: 1.1,
    cost: 'the index of message ids: a random id is looked up and inserted at a random page, and with two million ids most pages are not in the cache',
  },
  { id: 'G12b', title: 'CPU per observed ack: 5,000 participants / 5', goal: 1.3, stretch: 1.1 },
  {
    id: 'G12c',
    title: 'CPU per ack: over 200,000 sessions / over 1,000',
    goal: 1.3,
    stretch: 1.1,
    cost: 'each message touches the rows of another session, whose pages are not in the cache, and subscribes its sender to another session',
  },
  { id: 'G12d', title: 'CPU until ready: 2 million messages stored / empty', goal: 3, stretch: 2 },
  { id: 'G13', title: 'CPU of a complete built-in turn: 1,000 bindings / 1', goal: 1.1, stretch: 1.03 },
];
