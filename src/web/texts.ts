import { contentTexts } from './content-texts.js';

const plurals = new Intl.PluralRules('en', { type: 'ordinal' });
const SUFFIXES: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd' };

function ordinal(value: number): string {
  return `${value}${SUFFIXES[plurals.select(value)] ?? 'th'}`;
}

/** Every text that the page shows. */
export const texts = {
  ...contentTexts,

  productName: 'OpenClaw',
  pageTitle: (agent: string, title: string | undefined, unread: number) =>
    `${unread > 0 ? `(${unread}) ` : ''}${title === undefined ? `${agent} · chat` : `${title} · ${agent}`}`,
  skip: 'Skip to writing',
  menu: 'More',

  link: {
    connecting: 'Connecting…',
    connected: 'Connected',
    reconnecting: 'Connection lost, reconnecting…',
    restarting: 'The gateway is restarting…',
    offline: 'You are offline',
    halfway: 'No live connection',
    unreachable: 'The gateway cannot be reached, trying again…',
    kept: 'What you write is kept, and sent once there is a connection.',
    notKept:
      'What you write is sent once there is a connection, if this page stays open until then: this browser lets it store nothing.',
    caughtUp: (count: number) => `Back again: ${count} ${count === 1 ? 'message' : 'messages'} sent.`,
    tryNow: 'Try now',
    findings: {
      answers: () =>
        'The gateway answers, but no live connection to it opens. It is tried again by itself, at least every 30 seconds.',
      foreign: (origin: string) =>
        `The gateway refuses pages of ${origin}. Open it under its own name, or ask an operator to add ${origin} to the setting gateway.allowed_origins.`,
      provider: () =>
        'The identity provider cannot be reached, so the gateway cannot check your sign-in. It is tried again by itself, at least every 30 seconds.',
      throttled: () =>
        'The gateway refuses this machine for now: there were too many failed sign-ins. It is tried again by itself; wait a minute.',
    },
    causes: {
      heading: 'Likely causes',
      list: [
        'A proxy in front of the gateway passes on no WebSocket connections: its operator has to allow upgrades.',
        'The network, a virus scanner or an extension of this browser blocks them: try another network or a private window.',
        'This machine has as many connections as the gateway allows: close other tabs.',
      ],
    },
  },

  signIn: {
    heading: 'Sign in',
    explanation: 'This gateway asks for a token. It stays in this tab and goes to this gateway only.',
    label: 'Token',
    submit: 'Sign in',
    provider: 'Sign in with your organisation',
    cancel: 'Cancel',
    show: 'Show',
    hide: 'Hide',
    hint: 'Without configured tokens, the terminal where the gateway was started shows a link that signs you in.',
    malformed: 'This is not a valid token: a token has 16 to 4096 letters, digits and . _ ~ -',
    wrong:
      'The gateway does not accept this token. Check it for missing characters, or ask the operator of the gateway for another.',
    ended:
      'Your access has ended: the sign-in or its token expired or was revoked. Sign in again; what you have written is kept.',
    local: 'This needs the token in the file local.token beside the store of the gateway, usually data/local.token.',
    notForChat: (reason: string) => `This token cannot be used here. ${reason}.`,
    code: {
      expired:
        'This link has expired or was used before: it works once, within a minute. Start the gateway again for a new one, or sign in with a token.',
      throttled:
        'There were too many failed sign-ins from this machine. Wait a minute, then try again or sign in with a token.',
      unreachable: 'The gateway could not be reached to sign in. Load the page again, or sign in with a token.',
      foreign: 'The gateway does not accept sign-ins under this address. Open the link exactly as it was printed.',
    },
    signOut: 'Sign out',
  },

  signOut: {
    heading: (count: number) =>
      count === 0
        ? 'You have drafts'
        : count === 1
          ? 'A message is not sent yet'
          : `${count} messages are not sent yet`,
    explanation: 'Only you can send what you wrote. Another person who signs in here neither sees nor sends it.',
    lostFiles: (count: number) =>
      count === 1
        ? 'One file of a draft is not uploaded, so it is not kept.'
        : `${count} files of drafts are not uploaded, so they are not kept.`,
    notLasting:
      'This browser lets the page store nothing. What you keep is lost when the page is reloaded or closed, or when another person signs in.',
    send: 'Send first, then sign out',
    keep: 'Keep in this tab until I sign in again',
    keepHere: 'Keep while this page stays open',
    discard: 'Discard and sign out',
    cancel: 'Stay signed in',
    waiting: (count: number) =>
      `You are signed out once ${count === 1 ? 'your message is' : `your ${count} messages are`} sent.`,
  },

  partMissing: 'A part of this page could not be loaded. Reload it when the connection is back.',

  stopped: {
    reload: 'Reload',
    takeOver: 'Continue here',
    replaced: {
      heading: 'This conversation continues in another tab',
      problem: 'A copy of this tab has taken over its connection. You can continue there or here.',
    },
    protocol: (ours: number, theirs: number) => ({
      heading: 'This page is out of date',
      problem: `The gateway speaks version ${theirs} of its protocol and this page version ${ours}. Reload to get the matching page.`,
    }),
    unusable: (code: number, reason: string) => ({
      heading: 'The gateway has ended the connection',
      problem: `Reason: ${reason || 'none given'} (${code}). Reload to start again; messages that it has acknowledged are not lost.`,
    }),
  },

  conversations: {
    heading: 'Conversations',
    create: 'New conversation',
    createShort: 'New',
    none: 'Conversations are listed here, in this browser.',
    untitled: 'Untitled',
    more: (title: string) => `More for “${title}”`,
    name: 'Title of the conversation',
    menu: {
      rename: 'Rename',
      pin: 'Pin',
      unpin: 'Unpin',
      copy: 'Copy all',
      save: 'Save as Markdown',
      print: 'Print',
      remove: 'Remove from the list',
      stopAll: 'Stop all',
    },
    groups: {
      pinned: 'Pinned',
      today: 'Today',
      yesterday: 'Yesterday',
      week: 'Last 7 days',
      earlier: 'Earlier',
    },
    incomplete: 'Not all of the conversation could be read, so nothing was done.',
    anyway: 'Take what is here',
    notKept: 'This browser stores nothing more, so this is kept only until the page is closed.',
    notCopied: 'Not copied: the browser does not allow it. “Save as Markdown” gives you the same text.',
    notWritten: 'That did not work: a part of the page could not be loaded. Reload it when the connection is back.',
    removed: 'Removed from this list.',
    undo: 'Undo',
    unread: (count: number) => (count === 1 ? 'new answer' : 'new answers'),
    open: 'Show conversations',
    close: 'Hide conversations',
  },

  search: {
    label: 'Search conversations',
    placeholder: 'Search',
    titles: 'Titles',
    noTitle: 'No title has these words.',
    messages: 'Messages',
    stop: 'Stop',
    running: (searched: number, all: number) => `Searching… ${searched} of ${all} conversations read`,
    failed: 'The gateway did not answer, so there may be more.',
    full: (most: number) => `The first ${most} are shown. Type more words to find fewer.`,
    stopped: (searched: number, all: number) => `Stopped: ${searched} of ${all} conversations were read.`,
    none: 'No message has these words.',
    done: (count: number) => `${count} found`,
  },

  keys: {
    heading: 'Keys',
    show: 'Keys',
    close: 'Close',
    list: [
      ['Enter', 'send'],
      ['Shift Enter', 'start a new line'],
      ['Esc', 'close what is open, then stop the answer'],
      ['Esc', 'while a voice message is recorded: discard it'],
      ['F2', 'rename the conversation'],
      ['Tab', 'from the start of the page: skip to writing'],
    ],
    single: [
      ['/', 'search conversations'],
      ['n', 'new conversation'],
      ['?', 'show these keys'],
    ],
    switchLabel: 'Keys without Ctrl, Alt or ⌘ act outside of fields',
  },

  empty: {
    heading: (agent: string) => `Hello, this is ${agent}.`,
    explanation: 'Write something below.',
    offer: 'Write something below, or try one of these:',
    suggestions: [
      { text: '/help', about: 'all commands' },
      { text: '/demo', about: 'one block of each kind' },
      { text: '/blocks 20 300', about: 'a slow answer' },
    ],
    forgotten: 'The gateway no longer has this conversation, so it starts again.',
  },

  absent: {
    title: 'Not here',
    heading: 'This conversation is not here',
    reason: 'It does not exist, or it belongs to someone else.',
    own: 'Your conversation',
    newest: 'The newest conversation',
    create: 'A new conversation',
    message: 'The message of this address is not in this conversation.',
    unread: 'The message of this address was not found: not all of the conversation could be read.',
    later: 'Whether this conversation is here is known once there is a connection.',
  },

  noModel: {
    lead: 'This gateway has no model yet: its built-in agent answers, which only knows commands.',
    open: 'Set up a model',
    byOperator: 'An operator can set one up.',
    byCommand: 'To set one up, run `openclaw setup` on its machine, or sign in with its token.',
    unloaded: 'The form could not be loaded. Reload the page when the connection is back.',
    done: (model: string, text: string) => `${model} answers from now on: “${text}”`,
    taken: 'A model has been set up. It answers from now on.',
  },

  thread: {
    label: 'Conversation',
    loadingOlder: 'Loading earlier messages…',
    olderMissing: 'Earlier messages could not be read.',
    unreadable: 'This conversation could not be read.',
    loading: 'Loading…',
    unread: 'The gateway has the messages of this conversation. They are shown once there is a connection.',
    founder: (founder: string, person: string) => `${founder}’s conversation · you write as ${person}`,
    newest: 'Newest messages',
    earlier: (count: number) => (count === 1 ? 'Earlier version · show' : `Earlier version, ${count} messages · show`),
    today: 'Today',
    yesterday: 'Yesterday',
  },

  message: {
    you: 'You',
    said: (who: string, time: string) => `${who}, ${time}`,
    answering: (agent: string) => `${agent} is answering`,
    working: 'answering',
    incomplete: 'The end of this part was missed. It is shown as far as it came, until the gateway has all of it.',
    stale: (time: string) => `As of ${time}. There is no connection, so there may be more by now.`,
    sent: 'sent',
    sending: 'Sending…',
    stored: 'stored',
    answered: 'answered',
    waitingForConnection: 'Will be sent once there is a connection',
    inLine: (ahead: number) => (ahead === 0 ? 'next in line' : `${ordinal(ahead + 1)} in line`),
    cancel: 'Cancel',
    stopping: 'Stopping…',
    holds: {
      QUEUE_FULL: 'The queue is full. It will be sent automatically when there is room.',
      RATE_LIMITED: 'You are writing faster than allowed. It will be sent automatically in a moment.',
      DRAINING: 'The gateway is restarting. It will be sent automatically when it is back.',
      STORE_UNAVAILABLE: 'The gateway cannot store messages right now. It will be sent automatically when it can.',
    } as Readonly<Record<string, string>>,
    refused: (reason: string) => `Not sent. ${reason}`,
    refusedOtherwise: (reason: string) => `The gateway refused that. ${reason}`,
    edit: 'Edit',
    answerAgain: 'Answer again',
    toolsAgain: 'Its tools may run again. Press again to go on.',
    remove: 'Remove',
    showAll: 'Show all of it',
    showLess: 'Show less',
    attachments: (count: number) => `${count} ${count === 1 ? 'attachment' : 'attachments'}`,
    merged: 'Answered together with the next message',
    cancelled: 'Stopped',
    failures: {
      AGENT_FAILED: 'The agent could not answer. Your message is kept.',
      TURN_INTERRUPTED: 'The gateway was interrupted several times while it answered. Your message is kept.',
      QUOTA_EXCEEDED: 'The quota is used up for now. Your message is kept.',
    } as Readonly<Record<string, string>>,
    failed: 'That did not work. Your message is kept.',
    details: 'Details',
    copyDetails: 'Copy details',
    tryAgain: 'Send again',
    copy: 'Copy answer',
  },

  composer: {
    label: 'Message',
    placeholder: (agent: string) => `Write to ${agent}`,
    send: 'Send',
    stop: 'Stop the answer',
    hint: ['Enter sends', 'Shift+Enter starts a new line', 'Esc stops the answer'],
    count: (count: string, most: string) => `${count} of ${most} characters`,
    tooLong: (over: string) =>
      `${over} ${over === '1' ? 'character' : 'characters'} too many. Shorten the text, or send it in parts.`,
    tooBig: (over: string) => `${over} bytes too big for one message. Shorten the text, or send it in parts.`,
    editing: 'You edit an earlier message. It is answered again, and its tools may run again.',
    stopEditing: 'Do not edit',
    occupied: 'Send or clear what is here first. Then edit the other message.',
    notYet: 'Not connected yet. This will be sent as soon as there is a connection.',
    readOnly: 'This token may read but not write.',
  },
} as const;
