/** The texts around the content of messages: blocks, tools, files. */
export const contentTexts = {
  block: {
    code: 'code',
    copyCode: 'Copy',
    wrap: 'Wrap',
    rows: (count: number) => (count === 1 ? '1 row' : `${count} rows`),
    copyTable: 'Copy',
    copyCsv: 'CSV',
    showAll: (length: number) => `Show all (${Math.ceil(length / 1_000)} KB)`,
    showMore: (length: number) => `Show more (${Math.ceil(length / 1_000)} KB are left)`,
    showLines: (count: number) => `Show all ${count} lines`,
    hideLines: 'Show fewer lines',
    canvas: 'Canvas',
    parameters: 'Parameters',
    result: 'Result',
    picture: 'Picture',
    sound: 'Sound',
    noMedia: (label: string) => `${label}: it is on another server, and this page loads nothing from other servers.`,
  },

  canvas: {
    open: 'Open',
    close: 'Close',
    closed: 'This surface is closed.',
    wasClosed: (title: string) => `${title}: closed`,
    absent: 'This surface is not in the messages that are loaded. Scroll up to load earlier ones.',
    sending: 'Sending…',
    notLoaded: 'What draws this surface could not be loaded.',
    tryAgain: 'Try again',
    halted: 'Drawing this surface did not end when the page was open last.',
    drawAgain: 'Draw again',
    failed: 'This surface cannot be drawn.',
    left: 'The page has left, so it is no longer shown.',
    gone: 'This page is not there any more, or may not be read.',
    loading: 'Loading the page…',
    link: (address: string) => `The page wants to open ${address}`,
    follow: 'Open it',
    stay: 'Stay here',
    page: 'Page of the agent',
    dialog: 'Dialog',
    noVideo: 'Videos are not shown here.',
    pressed: 'Pressed on the canvas:',
  },

  copying: {
    done: 'Copied',
    refused: 'Not copied: select it yourself',
  },

  diagram: {
    label: 'Diagram',
    source: 'Source',
    picture: 'Picture',
    larger: 'Larger',
    smaller: 'Smaller',
    failures: {
      long: 'This diagram has more than 20,000 characters, so it is not drawn.',
      slow: 'This diagram takes more than 3 seconds to draw, so it is not drawn.',
      wrong: 'This diagram cannot be drawn: its source has an error.',
      large: 'This diagram has more than 500 connections, so it is not drawn.',
      unloaded: 'This diagram cannot be drawn: what draws it could not be loaded.',
    },
  },

  tool: {
    status: {
      requested: 'requested',
      awaiting_approval: 'waits for approval',
      running: 'running…',
      progress: 'running…',
      succeeded: 'done',
      failed: 'failed',
      denied: 'denied',
      timed_out: 'took too long',
      unknown: 'outcome unknown',
    } as Readonly<Record<string, string>>,
    wantsToRun: 'wants to run. You decide:',
    /** A tool of an agent that was asked. */
    ofAgent: (agent: string) => `of ${agent} wants to run. You decide:`,
    needsToken: 'To decide, sign in with the token of the gateway.',
    endsIn: (time: string) => `ends in ${time}`,
    ended: 'ended',
    minutes: (minutes: number) => `${minutes} min`,
    seconds: (seconds: number) => `${seconds} s`,
    raw: 'As JSON',
    deniedByYou: 'denied by you',
    // `local` is everyone who has the local token.
    deniedBy: (who: string) => (who === 'local' ? 'denied with the local token' : `denied by ${who}`),
    needs: (permissions: string) => `not allowed: needs ${permissions}`,
    several: (count: number, failed: number, denied: number) =>
      [`${count} tools`, failed > 0 ? `${failed} failed` : '', denied > 0 ? `${denied} denied` : '']
        .filter((part) => part !== '')
        .join(' · '),
    allow: 'Allow once',
    deny: 'Deny',
    duration: (seconds: string) => `${seconds} s`,
  },

  media: {
    loading: (label: string) => `${label}: loading…`,
    tryAgain: 'Try again',
    failures: {
      'too-large': (label: string) => `${label}: the file is too big.`,
      type: (label: string) => `${label}: the file is not of the type it claims to be, so it is not shown.`,
      'signed-out': (label: string) => `${label}: your access has ended. Sign in again to see it.`,
      forbidden: (label: string) => `${label}: this token may not read files.`,
      missing: (label: string) => `${label}: the gateway no longer has it, or you may not see it.`,
      unreachable: (label: string) => `${label}: the gateway could not be reached.`,
      failed: (label: string) => `${label}: the gateway could not read it.`,
    },
  },

  files: {
    attach: 'Attach files',
    label: 'Files to be sent',
    untitled: 'File',
    uploading: 'Uploading…',
    interrupted: 'Not uploaded',
    save: (name: string) => `Save ${name}`,
    remove: (name: string) => `Remove ${name}`,
    notYet: 'Not connected yet. Attach it again once there is a connection.',
    wait: 'A file is not uploaded yet. Send the message once it is there, or remove the file.',
    faults: {
      'too-many': (names: string, most: number) =>
        `A message can have at most ${most} files. Send ${names} with the next one.`,
      empty: (names: string) => `${names} is empty, so there is nothing to send.`,
      'too-large': (names: string) =>
        `${names} is bigger than this gateway accepts. Make it smaller, then attach it again.`,
      type: (names: string) =>
        `This gateway does not accept files like ${names}. Save it as another type, or paste its text instead.`,
      'signed-out': (names: string) =>
        `${names} was not uploaded: your access has ended. Sign in again, then attach it again.`,
      forbidden: (names: string) => `${names} was not uploaded: this token may not send files.`,
      missing: (names: string) => `${names} was not uploaded: this gateway accepts no files.`,
      unreachable: (names: string) =>
        `The upload of ${names} was interrupted. Try it again once there is a connection.`,
      failed: (names: string) => `${names} was not uploaded: the gateway could not store it. Attach it again later.`,
    },
  },

  voice: {
    record: 'Record a voice message',
    stop: 'Stop recording (Esc discards it)',
    discard: 'Discard the recording',
    name: 'Voice message',
    refused: 'The microphone cannot be used. Allow it for this page in your browser, then try again.',
  },
} as const;
