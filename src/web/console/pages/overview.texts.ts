/** The texts of the overview. */
export const overviewTexts = {
  heading: (count: number) =>
    count === 0 ? 'Nothing needs you' : `${count} ${count === 1 ? 'thing needs' : 'things need'} you`,
  quiet: 'Nothing needs you. What goes wrong stands here, the worst first.',
  troubles: 'What needs you',
  since: 'Since',
  approvals: (count: number) =>
    count === 1 ? 'A tool call waits for a decision' : `${count} tool calls wait for a decision`,
  approvalsDetail: (tool: string, end: string) => `The one that ends first, ${tool}, ends ${end}`,
  buttons: {
    APPROVALS: 'Decide',
    CHANNEL_DOWN: 'Show channel',
    DEAD_LETTERS: 'Show dead letters',
    MESSAGES_WAIT: 'Show queue',
    QUEUE_FULL: 'Show queue',
  } as Readonly<Record<string, string>>,
  show: 'Show',
  lastHour: 'The last hour',
  sinceStart: (clock: string) => `Since the start at ${clock}`,
  figures: {
    messages: 'Messages',
    waiting: 'Waiting',
    firstWords: 'First words, p95',
    failed: 'Failed turns',
  },
  trend: (name: string, first: string, last: string, most: string) =>
    `${name} per minute in the last hour: ${first} at first, ${last} now, at most ${most}`,
  running: 'Running now',
  noneRunning: 'No turn runs now.',
  channels: 'Channels',
  noChannels: 'No channel is set up.',
  columns: {
    conversation: 'Conversation',
    step: 'Step',
    tool: 'Tool',
    running: 'Running',
    state: 'State',
    channel: 'Channel',
    lastIn: 'Last in',
    lastOut: 'Last out',
    deadLetters: 'Dead letters',
  },
  steps: { model: 'model', tool: 'tool', approval: 'decision' },
} as const;
